#include "measure/load_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <mutex>
#include <set>

#include "net/server.h"

namespace jikji::measure {
namespace {

using ::testing::HasSubstr;

net::Response Json(std::string body, int status = 200) {
  net::Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

// Answers as an OpenAI server does; `refuse` says of a prompt's last token whether it is refused.
class FakeServer {
 public:
  explicit FakeServer(std::function<bool(int64_t last)> refuse = [](int64_t) { return false; })
      : refuse_(std::move(refuse)) {
    net::ServerOptions options;
    options.port = 0;
    auto answer = [this](const net::Request& request,
                         const std::shared_ptr<net::Responder>& responder) {
      Answer(request, *responder);
    };
    server_ = net::Server::Start(options, answer).value();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  std::vector<boost::json::object> bodies() {
    std::lock_guard lock(mutex_);
    return bodies_;
  }
  bool silent = false;

 private:
  void Answer(const net::Request& request, net::Responder& responder) {
    if (request.path == "/v1/models") {
      return responder.Send(Json(R"({"data":[{"id":"fake","max_model_len":99}]})"));
    }
    if (request.path == "/tokenize") return responder.Send(Json(R"({"tokens":[7,8,9]})"));
    const auto body = boost::json::parse(request.body).as_object();
    {
      std::lock_guard lock(mutex_);
      bodies_.push_back(body);
    }
    if (refuse_(body.at("prompt").as_array().back().as_int64())) {
      return responder.Send(Json(R"({"error":{"message":"queue full"}})", 503));
    }
    responder.Begin(Json(""));
    const int64_t tokens = body.at("max_tokens").as_int64();
    if (!silent) {
      for (int64_t i = 0; i < tokens; ++i) {
        responder.Write("data: {\"choices\":[{\"text\":\"a\"}]}\n\n");
      }
      responder.Write("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":" +
                      std::to_string(body.at("prompt").as_array().size()) +
                      ",\"completion_tokens\":" + std::to_string(tokens) +
                      ",\"prompt_tokens_details\":{\"cached_tokens\":2}}}\n\n");
      responder.Write("data: [DONE]\n\n");
    }
    responder.End();
  }

  std::function<bool(int64_t)> refuse_;
  std::mutex mutex_;
  std::vector<boost::json::object> bodies_;
  std::unique_ptr<net::Server> server_;
};

TEST(LoadRunTest, EveryRequestIsSentOnceAndCounted) {
  FakeServer server;
  const auto target = LoadTarget::Open(server.url() + "/v1/", "");
  ASSERT_TRUE(target) << target.error().ToString();
  EXPECT_EQ(target->model(), "fake");
  EXPECT_EQ(target->context(), 99);
  const auto plan = PlanLoad({.requests = 40, .lengths = {{6, 3}, {4, 5}}}, target->tokens());
  size_t most = 0;
  std::mutex mutex;
  const auto outcomes = RunLoad(*target, plan, {.clients = 4}, [&](size_t done) {
    std::lock_guard lock(mutex);
    most = std::max(most, done);
  });
  EXPECT_EQ(most, 40u);
  const LoadSummary summary = Summarise(outcomes, {.first_seconds = 60, .gap_seconds = 60});
  EXPECT_EQ(summary.error, "");
  EXPECT_EQ(summary.finished, 40);
  EXPECT_EQ(summary.prompt_tokens, 200);
  EXPECT_EQ(summary.output_tokens, 160);
  EXPECT_EQ(summary.cached_tokens, 80);
  EXPECT_EQ(summary.good_share, 1);
  EXPECT_GT(summary.output_tokens_per_second, 0);
  for (const LoadOutcome& outcome : outcomes) {
    EXPECT_EQ(static_cast<int64_t>(outcome.gaps.size()), outcome.output_tokens - 1);
    EXPECT_GE(outcome.total, outcome.first);
  }
  std::multiset<std::string> sent, planned;
  for (const auto& body : server.bodies()) sent.insert(boost::json::serialize(body.at("prompt")));
  for (const auto& request : plan) {
    planned.insert(
        boost::json::serialize(boost::json::array(request.prompt.begin(), request.prompt.end())));
  }
  EXPECT_EQ(sent, planned);
}

TEST(LoadRunTest, RefusalsAndBrokenAnswersAreErrorsNotLatencies) {
  FakeServer server([](int64_t last) { return last == 7; });
  const auto target = LoadTarget::Open(server.url(), "");
  ASSERT_TRUE(target);
  const LoadRequest refused = {.prompt = {7}}, fine = {.prompt = {8}};
  const LoadRequest plan[] = {fine, refused, fine};
  const LoadSummary summary = Summarise(RunLoad(*target, plan, {.clients = 2}), {60, 60});
  EXPECT_EQ(summary.finished, 2);
  EXPECT_THAT(summary.error, HasSubstr("queue full"));
  EXPECT_DOUBLE_EQ(summary.good_share, 2.0 / 3);
  server.silent = true;
  const auto outcomes = RunLoad(*target, {&fine, 1}, {});
  EXPECT_FALSE(outcomes[0].finished);
  EXPECT_THAT(outcomes[0].error, HasSubstr("broke off"));
}

TEST(LoadRunTest, NothingBeginsAfterTheDeadline) {
  FakeServer server;
  const auto target = LoadTarget::Open(server.url(), "");
  ASSERT_TRUE(target);
  const LoadRequest late = {.prompt = {8}, .output = 1, .at = 3600};
  const auto outcomes =
      RunLoad(*target, {&late, 1}, {.clients = 1, .time = std::chrono::milliseconds(1)});
  EXPECT_FALSE(outcomes[0].finished);
  EXPECT_TRUE(server.bodies().empty());
}

TEST(LoadRunTest, AServerThatIsNotThereIsAnErrorThatNamesIt) {
  std::string url;
  {
    FakeServer server;
    url = server.url();
  }
  const auto target = LoadTarget::Open(url, "");
  ASSERT_FALSE(target);
  EXPECT_THAT(target.error().where, HasSubstr(url));
}

TEST(LoadRunTest, QuantilesAreValuesOfTheData) {
  std::vector<double> values;
  for (int i = 1; i <= 100; ++i) values.push_back(i);
  const Quantiles q = QuantilesOf(values);
  EXPECT_EQ(q.p50, 50);
  EXPECT_EQ(q.p95, 95);
  EXPECT_EQ(q.p99, 99);
  EXPECT_EQ(QuantilesOf({3}).p99, 3);
  EXPECT_EQ(QuantilesOf({}).p50, 0);
}

TEST(LoadRunTest, GoodputLeavesOutSlowAndFailed) {
  const auto outcome = [](bool finished, double first, double gap) {
    return LoadOutcome{.finished = finished,
                       .first = first,
                       .total = first + 2 * gap,
                       .gaps = {gap, gap},
                       .output_tokens = 3};
  };
  const LoadOutcome outcomes[] = {outcome(true, 1, 0.1), outcome(true, 3, 0.1),
                                  outcome(true, 1, 0.5), outcome(false, 1, 0.1)};
  const LoadSummary summary = Summarise(outcomes, {.first_seconds = 2, .gap_seconds = 0.2});
  EXPECT_EQ(summary.finished, 3);
  EXPECT_EQ(summary.good_share, 0.25);
  EXPECT_EQ(summary.output_tokens, 9);
  EXPECT_EQ(summary.first.p99, 3);
}

}  // namespace
}  // namespace jikji::measure
