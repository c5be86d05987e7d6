// Receipts and the record behind them; the mark on what a machine wrote; answers made again.
#include "api/receipt.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>

#include "api/fakes.h"
#include "api/replay.h"
#include "govern/audit/verify.h"
#include "govern/testing/site.h"

namespace jikji {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kBody =
    R"({"prompt":["hi","ho"],"max_tokens":4,"n":2,"temperature":0.7,"seed":-5})";

class ReceiptTest : public Site {
 protected:
  void SetUp() override {
    Site::SetUp();
    GovernorOptions options = Options();
    options.audit = folder_ / "audit";
    governor_ = Governor::Open(options).value();
    Serve({});
  }
  void TearDown() override {
    server_.reset();
    governor_.reset();
    Site::TearDown();
  }
  void Serve(ApiOptions options) {
    options.governor = governor_.get();
    options.model_digest = "sha256:00";
    server_ = std::make_unique<FakeServer>(std::move(options));
  }
  std::shared_ptr<FakeResponder> Post(const std::string& path, const std::string& body) {
    return server_->Ask("POST", path, body,
                        {{"Authorization", "Bearer " + key_.secret}, {"X-Request-Id", "r1"}});
  }
  // What the engine says to both prompts of kBody, with two choices each.
  void SayAll() {
    for (size_t prompt = 0; prompt < 2; ++prompt) {
      for (int32_t choice = 0; choice < 2; ++choice) {
        server_->Say(prompt, prompt == 0 ? "abc" : "xyz", choice);
        server_->End(prompt, 3, FinishReason::kStop, choice);
      }
    }
  }
  std::vector<audit::Record> Records(std::string_view event) {
    EXPECT_TRUE(governor_->trail()->log().WaitDurable(last_));
    std::vector<audit::Record> found;
    audit::VerifyOptions options;
    options.visit = [&](const audit::Record& record, std::string_view, const audit::Hash& leaf) {
      if (record.event == event) found.push_back(record);
      leaves_[record.index] = HexOf(leaf);
    };
    EXPECT_TRUE(audit::VerifyLog(folder_ / "audit", std::move(options)).has_value());
    return found;
  }

  std::unique_ptr<Governor> governor_;
  std::unique_ptr<FakeServer> server_;
  std::map<uint64_t, std::string> leaves_;
  uint64_t last_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Stores, ReceiptTest, testing::Values("sqlite"), StoreName);

TEST_P(ReceiptTest, NamesWhatMadeTheAnswerAndItsRecord) {
  const auto answer = Post("/v1/completions", kBody);
  SayAll();
  ASSERT_EQ(answer->head.status, 200) << answer->head.body;
  EXPECT_EQ(answer->Header("X-AI-Generated"), "true");
  const auto body = answer->Json();
  EXPECT_EQ(body.at("ai_generated"), true);
  const auto& receipt = body.at("receipt");
  EXPECT_EQ(receipt.at("request"), "r1");
  EXPECT_EQ(receipt.at("model_digest"), "sha256:00");
  EXPECT_TRUE(receipt.at("adapter").is_null());
  EXPECT_EQ(receipt.at("usage").at("completion_tokens"), 12);
  const auto& prompt = receipt.at("prompts").at(1);
  EXPECT_EQ(prompt.at("parameters").at("seed").as_string(),
            std::to_string(static_cast<uint64_t>(-5)));
  EXPECT_EQ(prompt.at("parameters").at("temperature"), 0.7);
  EXPECT_EQ(prompt.at("choices").at(0).at("digest").as_string(),
            DigestOf(std::vector<TokenId>{'x', 'y', 'z'}));
  EXPECT_EQ(prompt.at("choices").at(1).at("tokens"), 3);

  last_ = receipt.at("log").at("record").to_number<uint64_t>();
  const auto records = Records("generation.ended");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].index, last_);
  EXPECT_EQ(leaves_[last_], receipt.at("log").at("leaf").as_string());
  EXPECT_EQ(records[0].tenant, audit::TenantName(organisation_));
  EXPECT_TRUE(records[0].fields.back().keyed);
  // Every prompt was admitted, before.
  EXPECT_EQ(Records("admission.granted").size(), 2u);
}

TEST_P(ReceiptTest, ComesWithTheLastChunkOfAStream) {
  const auto answer = Post("/v1/chat/completions",
                           R"({"messages":[{"role":"user","content":"hi"}],"stream":true})");
  server_->Say(0, "xy");
  server_->End(0, 2);
  const auto events = answer->Events();
  ASSERT_GE(events.size(), 4u);
  EXPECT_EQ(answer->Header("X-AI-Generated"), "true");
  for (size_t i = 0; i + 1 < events.size(); ++i) {
    const auto chunk = FakeResponder::Parse(events[i]);
    EXPECT_EQ(chunk.at("ai_generated"), true);
    EXPECT_EQ(chunk.as_object().contains("receipt"), i + 2 == events.size()) << events[i];
  }
  const auto last = FakeResponder::Parse(events[events.size() - 2]);
  EXPECT_EQ(last.at("choices").at(0).at("finish_reason"), "stop");
  EXPECT_EQ(last.at("receipt").at("prompts").at(0).at("choices").at(0).at("tokens"), 2);
}

TEST_P(ReceiptTest, AnAnswerThatCannotBeRecordedIsNone) {
  const auto answer = Post("/v1/completions", R"({"prompt":"hi","max_tokens":4})");
  server_->Say(0, "xyz");
  const std::string tenant = audit::TenantName(organisation_);
  ASSERT_TRUE(governor_->trail()->log().keys().Seal(tenant, "f", "make the key"));
  ASSERT_TRUE(governor_->trail()->log().keys().Destroy(tenant));
  server_->End(0, 3);
  EXPECT_EQ(answer->head.status, 503);
  EXPECT_EQ(answer->Json().at("error").at("code"), "audit_unavailable");
  EXPECT_THAT(answer->head.body, Not(HasSubstr("xyz")));
  EXPECT_EQ(answer->Header("X-AI-Generated"), "");  // no machine wrote this
}

TEST_P(ReceiptTest, TheGuardsFindingsAreRecordedWithoutTheText) {
  ApiOptions options;
  options.guard = guard::MakePrivacyGuard(guard::DefaultPolicy());
  Serve(std::move(options));
  Post("/v1/completions", R"({"prompt":"900101-1234567","max_tokens":4})");
  last_ = 0;
  ASSERT_TRUE(governor_->trail()->Write("site", "mark", {{"a", "b"}}).has_value());
  last_ = governor_->trail()->Write("site", "mark", {{"a", "b"}})->index;
  const auto records = Records("guard.found");
  ASSERT_EQ(records.size(), 1u);
  std::string all;
  for (const audit::Field& field : records[0].fields) all += field.name + "=" + field.value + " ";
  EXPECT_THAT(all, HasSubstr("side=prompt"));
  EXPECT_THAT(all, HasSubstr("blocked=yes"));
  EXPECT_THAT(all, HasSubstr("request=r1"));
  EXPECT_THAT(all, Not(HasSubstr("1234567")));
}

// The engine of a replay says what it says: the digests tell whether that is the same.
TEST_P(ReceiptTest, AReplayComparesEveryChoice) {
  const auto answer = Post("/v1/completions", kBody);
  SayAll();
  const auto receipt = ReadKeptAnswer(answer->head.body, "answer");
  ASSERT_TRUE(receipt.has_value()) << receipt.error().ToString();
  EXPECT_EQ(receipt->texts, (std::vector<std::string>{"abc", "abc", "xyz", "xyz"}));
  ASSERT_FALSE(ReadKeptAnswer(R"({"choices":[]})", "answer").has_value());

  FakeEngine engine;
  LocalPolicy policy;
  const ApiContext context(engine, policy, {.model_digest = "sha256:00"});
  std::string second = "xyz";
  engine.at_once = [&](FakeEngine::Submitted& submitted) {
    EXPECT_EQ(submitted.request.sampling.seed, static_cast<uint64_t>(-5));
    const bool first = submitted.request.prompt.at(2) == 'i';
    for (int32_t choice = 0; choice < 2; ++choice) {
      Delta delta = FakeServer::Spoken(submitted.request, first ? "abc" : second, choice);
      delta.finish = FinishReason::kStop;
      submitted.sink(std::move(delta));
    }
  };
  const auto same = Replay(context, *receipt, kBody);
  ASSERT_TRUE(same.has_value()) << same.error().message;
  ASSERT_EQ(same->size(), 4u);
  for (const ReplayedChoice& choice : *same) EXPECT_TRUE(choice.same && !choice.retouched);
  EXPECT_EQ(same->at(3).text, "xyz");

  // A text that was changed beside its receipt.
  KeptAnswer forged = *receipt;
  forged.texts[1] = "abd";
  const auto told = Replay(context, forged, kBody);
  ASSERT_TRUE(told.has_value());
  EXPECT_FALSE(told->at(0).retouched);
  EXPECT_TRUE(told->at(1).same && told->at(1).retouched);
  // A guard may have masked it, so nothing is said; the receipt alone has no text to compare.
  forged.receipt["guarded"] = true;
  EXPECT_FALSE(Replay(context, forged, kBody)->at(1).retouched);
  const auto alone = ReadKeptAnswer(boost::json::serialize(receipt->receipt), "receipt");
  EXPECT_FALSE(Replay(context, *alone, kBody)->at(1).retouched);

  second = "xyy";
  const auto other = Replay(context, *receipt, kBody);
  ASSERT_TRUE(other.has_value());
  EXPECT_TRUE(other->at(1).same);
  EXPECT_FALSE(other->at(2).same);

  // Another request, other parameters, another model: said before anything runs.
  const int calls = engine.calls;
  const auto refuses = [&](const ApiContext& with, std::string body, const char* why) {
    const auto refused = Replay(with, *receipt, body);
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().message, HasSubstr(why));
  };
  refuses(context, R"({"prompt":["hi","hu"],"max_tokens":4,"n":2,"temperature":0.7})", "prompt");
  refuses(context, R"({"prompt":["hi","ho"],"max_tokens":4,"n":2,"temperature":0.8,"seed":-5})",
          "request");
  refuses(context, R"({"prompt":["hi","ho"],"max_tokens":4,"n":2,"temperature":0.7,"seed":8})",
          "request");
  refuses(context, R"({"prompt":"hi","max_tokens":4,"n":2})", "prompts");
  const ApiContext another(engine, policy, {.model_digest = "sha256:11"});
  refuses(another, kBody, "model_digest");
  EXPECT_EQ(engine.calls, calls);
}

}  // namespace
}  // namespace jikji
