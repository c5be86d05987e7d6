// The routes as a client sees them, over an engine that says what the test tells it to.
#include "api/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/fakes.h"
#include "api/route_table.h"

namespace jikji {
namespace {

using ::testing::HasSubstr;

constexpr const char* kChat = R"({"messages":[{"role":"user","content":"hi"}]})";
constexpr const char* kCompletion = R"({"prompt":"hi"})";

const boost::json::value& ErrorIn(const boost::json::value& body) { return body.at("error"); }

// Every route of the table, and every way of not having the key: the engine and the issuer of
// tickets hear of none of it.
TEST(Sweep, WithoutTheKeyNothingIsReached) {
  FakeServer server({.api_keys = {"right-key"}, .version = "1"});
  ASSERT_GE(Routes().size(), 9u);
  for (const Route& route : Routes()) {
    std::string path(route.path);
    if (path.ends_with('*')) path.replace(path.size() - 1, 1, "fake");
    const bool needs_key = route.right != Right::kNone;
    // Who logs in has no key yet; where no provider is set up there is nothing to log in at.
    const bool login = route.path.starts_with("/login");
    EXPECT_EQ(needs_key, route.path != "/health" && !login) << route.path;
    for (const char* key : {"", "Bearer wrong", "Bearer ", "Bearer right-ke", "Basic right-key"}) {
      for (const char* body : {"", kChat, kCompletion, R"({"tokens":[1]})"}) {
        const auto answer =
            server.Ask(std::string(route.method), path, body, {{"Authorization", key}});
        EXPECT_TRUE(answer->ended);
        EXPECT_EQ(answer->head.status, needs_key ? 401 : login ? 404 : 200) << path;
        if (needs_key) {
          EXPECT_EQ(ErrorIn(answer->Json()).at("type"), "authentication_error");
          EXPECT_EQ(ErrorIn(answer->Json()).as_object().size(), 4u);
        }
        EXPECT_FALSE(answer->Header("X-Request-Id").empty());
      }
    }
  }
  EXPECT_EQ(server.engine.calls, 0);
  EXPECT_EQ(server.issuer.asked, 0);
}

// With the key, what asks for a ticket asks before the engine or the tokenizer works for it.
TEST(Sweep, WithoutATicketNothingIsDone) {
  FakeServer server;
  server.issuer.refusal = Error{ErrorCode::kPermissionDenied, "no budget", ""};
  for (const Route& route : Routes()) {
    if (route.ticket == TicketKind::kNone) continue;
    const bool chat = route.path == "/v1/chat/completions";
    const auto answer =
        server.Ask(std::string(route.method), std::string(route.path), chat ? kChat : kCompletion);
    EXPECT_EQ(answer->head.status, 403) << route.path;
  }
  EXPECT_EQ(server.engine.calls, 0);
  EXPECT_EQ(server.issuer.asked, 4);
}

TEST(Sweep, EveryAnswerCarriesTheRequestId) {
  FakeServer server;
  for (const char* path : {"/health", "/v1/models", "/nowhere", "/v1/models/absent"}) {
    EXPECT_EQ(server.Ask("GET", path, "", {{"X-Request-Id", "mine-1"}})->Header("X-Request-Id"),
              "mine-1");
    const auto made =
        server.Ask("GET", path, "", {{"X-Request-Id", "in\r\nvalid"}})->Header("X-Request-Id");
    EXPECT_EQ(made.size(), 32u);
  }
}

TEST(Routing, UnknownPathsAndMethods) {
  FakeServer server;
  EXPECT_EQ(server.Ask("GET", "/v1/nowhere")->head.status, 404);
  EXPECT_EQ(server.Ask("GET", "/v1/models/")->head.status, 404);
  const auto wrong = server.Ask("GET", "/v1/chat/completions");
  EXPECT_EQ(wrong->head.status, 405);
  EXPECT_EQ(wrong->Header("Allow"), "POST");
  EXPECT_EQ(server.Ask("DELETE", "/v1/models")->Header("Allow"), "GET, HEAD");
  EXPECT_EQ(server.Ask("HEAD", "/health")->head.status, 200);
}

TEST(Routing, BrowsersOfOtherSitesMayNotAct) {
  FakeServer server({.cors_origins = {"https://ok.example"}});
  const auto from = [&](const char* origin) {
    return server.Ask("POST", "/tokenize", R"({"prompt":"x"})",
                      {{"Origin", origin}, {"Host", "127.0.0.1:8080"}});
  };
  EXPECT_EQ(from("https://evil.example")->head.status, 403);
  EXPECT_EQ(from("http://127.0.0.1:8080")->head.status, 200);
  const auto allowed = from("https://ok.example");
  EXPECT_EQ(allowed->head.status, 200);
  EXPECT_EQ(allowed->Header("Access-Control-Allow-Origin"), "https://ok.example");
  const auto preflight = server.Ask("OPTIONS", "/v1/chat/completions", "",
                                    {{"Origin", "https://ok.example"},
                                     {"Access-Control-Request-Method", "POST"},
                                     {"Access-Control-Request-Headers", "authorization"}});
  EXPECT_EQ(preflight->head.status, 204);
  EXPECT_EQ(preflight->Header("Access-Control-Allow-Headers"), "authorization");
  EXPECT_EQ(server.Ask("OPTIONS", "/v1/chat/completions")->head.status, 405);
}

TEST(Routing, LongBodiesThatFindNoWorkerAreRefused) {
  FakeEngine engine;
  CountingIssuer issuer;
  const auto context = std::make_shared<const ApiContext>(engine, issuer, ApiOptions());
  net::Request request;
  request.method = "POST";
  request.path = "/v1/completions";
  request.body = R"({"prompt":")" + std::string(100'000, 'x') + R"("})";
  const auto answer = std::make_shared<FakeResponder>();
  int posted = 0;
  Dispatch(
      context, [&](const std::function<void()>&) { return ++posted > 1; }, request, answer);
  EXPECT_EQ(posted, 1);
  EXPECT_EQ(answer->head.status, 503);
  EXPECT_FALSE(answer->Header("Retry-After").empty());
  EXPECT_EQ(engine.calls, 0);
}

TEST(Routing, StaticFilesNeedNoKey) {
  FakeServer server({.api_keys = {"k"}});
  server.service->AddStatic("/", "text/html; charset=utf-8", "<p>");
  const auto page = server.Ask("GET", "/");
  EXPECT_EQ(page->head.body, "<p>");
  EXPECT_EQ(page->head.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(server.Ask("POST", "/")->head.status, 405);
}

TEST(StatusRoutes, HealthIsTheEngines) {
  FakeServer server;
  EXPECT_EQ(server.Ask("GET", "/health")->head.body, "{}");
  server.engine.health = {.healthy = false, .reason = "no step for 31 s"};
  const auto sick = server.Ask("GET", "/health");
  EXPECT_EQ(sick->head.status, 503);
  EXPECT_EQ(ErrorIn(sick->Json()).at("message"), "no step for 31 s");
}

TEST(StatusRoutes, VersionAndModels) {
  FakeServer server({.model_names = {"first", "org/second"}, .version = "9"});
  EXPECT_EQ(server.Ask("GET", "/version")->Json().at("version"), "9");
  const auto list = server.Ask("GET", "/v1/models")->Json();
  EXPECT_EQ(list.at("object"), "list");
  ASSERT_EQ(list.at("data").as_array().size(), 2u);
  EXPECT_EQ(list.at("data").at(0).at("id"), "first");
  EXPECT_EQ(list.at("data").at(0).at("object"), "model");
  EXPECT_EQ(list.at("data").at(0).at("max_model_len"), 256);
  EXPECT_EQ(server.Ask("GET", "/v1/models/org/second")->Json().at("id"), "org/second");
  const auto absent = server.Ask("GET", "/v1/models/absent");
  EXPECT_EQ(absent->head.status, 404);
  EXPECT_EQ(ErrorIn(absent->Json()).at("message"), "The model `absent` does not exist.");
}

TEST(ModelRoutes, AdaptersAreModelsBesideTheirBase) {
  FakeEngine engine;
  engine.model_.adapters = {{"polite", {}, {}}, {"legal", {}, {}}};
  CountingIssuer issuer;
  auto service = *Service::Create(engine, issuer, {.model_names = {"base", "alias"}});
  const auto ask = [&](const char* method, const char* path, std::string body = {}) {
    auto responder = std::make_shared<FakeResponder>();
    net::Request request;
    request.method = method;
    request.path = path;
    request.body = std::move(body);
    service->handler()(std::move(request), responder);
    return responder;
  };
  const auto list = ask("GET", "/v1/models")->Json();
  ASSERT_EQ(list.at("data").as_array().size(), 4u);
  EXPECT_TRUE(list.at("data").at(1).at("parent").is_null());
  EXPECT_EQ(list.at("data").at(3).at("id"), "legal");
  EXPECT_EQ(list.at("data").at(3).at("parent"), "base");
  EXPECT_EQ(ask("GET", "/v1/models/polite")->Json().at("id"), "polite");
  for (const auto& [name, adapter] :
       {std::pair("alias", kBaseModel), std::pair("polite", 0), std::pair("legal", 1)}) {
    const auto answer =
        ask("POST", "/v1/completions", R"({"prompt":"x","model":")" + std::string(name) + "\"}");
    ASSERT_FALSE(answer->answered);
    EXPECT_EQ(engine.submitted.back().request.adapter, adapter);
    Delta delta;
    delta.finish = FinishReason::kStop;
    engine.submitted.back().sink(std::move(delta));
    EXPECT_EQ(answer->Json().at("model"), name);
  }
  EXPECT_EQ(ask("POST", "/v1/completions", R"({"prompt":"x","model":"no"})")->head.status, 404);
  engine.model_.adapters = {{"base", {}, {}}};
  EXPECT_FALSE(Service::Create(engine, issuer, {.model_names = {"base"}}));
}

// Its template makes the prompt, its vocabulary bounds the ids, its tokenizer spells the answer.
TEST(ModelRoutes, AnAdaptersOwnTokenizerIsUsedForItsRequests) {
  FakeEngine engine;
  auto own = std::make_shared<ModelDescription>(FakeModel("{{ messages[0].content }}"));
  own->spec.vocab = engine.model_.spec.vocab + 4;
  engine.model_.adapters = {{"plain", {}, {}}, {"longer", {}, {}, own}};
  CountingIssuer issuer;
  auto service = *Service::Create(engine, issuer, {.model_names = {"base"}});
  const auto ask = [&](const char* path, std::string body) {
    auto responder = std::make_shared<FakeResponder>();
    net::Request request;
    request.method = "POST";
    request.path = path;
    request.body = std::move(body);
    service->handler()(std::move(request), responder);
    return responder;
  };
  const auto prompt_of = [&](const std::string& model) {
    const auto answer =
        ask("/v1/chat/completions",
            R"({"messages":[{"role":"user","content":"hi"}],"model":")" + model + "\"}");
    EXPECT_FALSE(answer->answered);
    return engine.submitted.back().request.prompt;
  };
  EXPECT_EQ(prompt_of("plain"), prompt_of("base"));
  EXPECT_EQ(prompt_of("longer"), own->tokenizer->Encode("hi"));
  EXPECT_NE(prompt_of("longer"), prompt_of("base"));
  const auto with_last_id = [&](const std::string& model) {
    return ask("/v1/completions", R"({"prompt":"x","stop_token_ids":[)" +
                                      std::to_string(own->spec.vocab - 1) + R"(],"model":")" +
                                      model + "\"}");
  };
  EXPECT_FALSE(with_last_id("longer")->answered);
  EXPECT_EQ(with_last_id("plain")->head.status, 400);
  const auto tokens = [&](const std::string& model) {
    return ask("/tokenize",
               R"({"messages":[{"role":"user","content":"hi"}],"model":")" + model + "\"}")
        ->Json()
        .at("count");
  };
  EXPECT_LT(tokens("longer").to_number<int>(), tokens("base").to_number<int>());
}

TEST(StatusRoutes, MetricsBearVllmsNames) {
  FakeServer server;
  server.engine.stats_ = {.waiting = 3,
                          .running = 2,
                          .pages_used = 1,
                          .pages_total = 4,
                          .steps = 7,
                          .prompt_tokens = 10,
                          .generation_tokens = 20,
                          .steps_ahead = 5,
                          .preemptions = 0};
  RequestTimes times;
  times.arrived = std::chrono::steady_clock::now();
  times.started = times.arrived + std::chrono::milliseconds(100);
  times.first_token = times.started + std::chrono::milliseconds(200);
  times.finished = times.first_token + std::chrono::milliseconds(400);
  server.engine.observer.finished(times, FinishReason::kLength, 10, 20);
  server.engine.observer.step(12);
  server.engine.observer.inter_token(0.03);
  server.engine.observer.first_token(0.3);
  const auto answer = server.Ask("GET", "/metrics");
  EXPECT_THAT(answer->head.content_type, HasSubstr("text/plain"));
  const std::string& text = answer->head.body;
  const std::string labels = R"({model_name="fake",engine="0")";
  for (const std::string& line :
       {"vllm:num_requests_running" + labels + "} 2\n",
        "vllm:num_requests_waiting" + labels + "} 3\n",
        "vllm:kv_cache_usage_perc" + labels + "} 0.25\n",
        "vllm:cache_config_info" + labels + R"(,block_size="16",num_gpu_blocks="4"} 1)" + "\n",
        "vllm:prompt_tokens_total" + labels + "} 10\n",
        "vllm:generation_tokens_total" + labels + "} 20\n",
        "jikji:steps_total" + labels + "} 7\n",
        "jikji:steps_planned_ahead_total" + labels + "} 5\n",
        "vllm:num_preemptions_total" + labels + "} 0\n",
        "vllm:prefix_cache_queries_total" + labels + "} 0\n",
        "vllm:prefix_cache_hits_total" + labels + "} 0\n",
        "vllm:spec_decode_num_draft_tokens_total" + labels + "} 0\n",
        "vllm:spec_decode_num_accepted_tokens_total" + labels + "} 0\n",
        "vllm:request_success_total" + labels + R"(,finished_reason="length"} 1)" + "\n",
        "vllm:request_success_total" + labels + R"(,finished_reason="abort"} 0)" + "\n",
        "vllm:e2e_request_latency_seconds_bucket" + labels + R"(,le="0.8"} 1)" + "\n",
        "vllm:time_to_first_token_seconds_bucket" + labels + R"(,le="0.5"} 1)" + "\n",
        "vllm:time_to_first_token_seconds_bucket" + labels + R"(,le="2560"} 1)" + "\n",
        "vllm:inter_token_latency_seconds_bucket" + labels + R"(,le="0.05"} 1)" + "\n",
        "vllm:time_per_output_token_seconds_count" + labels + "} 1\n",
        "vllm:request_queue_time_seconds_count" + labels + "} 1\n",
        "vllm:request_inference_time_seconds_count" + labels + "} 1\n",
        "vllm:request_prefill_time_seconds_count" + labels + "} 1\n",
        "vllm:request_decode_time_seconds_bucket" + labels + R"(,le="7680"} 1)" + "\n",
        "vllm:request_prompt_tokens_sum" + labels + "} 10\n",
        "vllm:request_generation_tokens_sum" + labels + "} 20\n",
        "vllm:iteration_tokens_total_bucket" + labels + R"(,le="16"} 1)" + "\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(TextRoutes, TokenizeAndBack) {
  FakeServer server;
  const auto plain =
      server.Post("/tokenize", R"({"prompt":"xab<|end|>","return_token_strs":true})")->Json();
  EXPECT_EQ(plain, FakeResponder::Parse(
                       R"({"count":4,"max_model_len":256,"tokens":[257,120,256,262],
                       "token_strs":["<|bos|>","x","ab","<|end|>"]})"));
  const auto bare = server.Post("/tokenize", R"({"prompt":"x","add_special_tokens":false})");
  EXPECT_EQ(bare->Json().at("tokens"), FakeResponder::Parse("[120]"));
  EXPECT_TRUE(bare->Json().at("token_strs").is_null());
  const auto chat = server.Post(
      "/tokenize", R"({"messages":[{"role":"user","content":"x"}],"add_generation_prompt":false})");
  EXPECT_EQ(chat->Json().at("tokens"), FakeResponder::Parse("[257,259,120,262]"));
  EXPECT_EQ(server.Post("/detokenize", R"({"tokens":[257,256]})")->Json().at("prompt"),
            "<|bos|>ab");
  EXPECT_EQ(ErrorIn(server.Post("/detokenize", R"({"tokens":[9999]})")->Json()).at("param"),
            "tokens");
  EXPECT_EQ(server.Post("/detokenize", "{}")->head.status, 400);
  EXPECT_EQ(server.Post("/tokenize", "{}")->head.status, 400);
  EXPECT_EQ(server.Post("/tokenize", R"({"prompt":"x","model":"absent"})")->head.status, 404);
  // A long text is worked on elsewhere.
  const auto long_text =
      server.Post("/tokenize", R"({"prompt":")" + std::string(100'000, 'x') + R"("})");
  long_text->ready.wait();
  EXPECT_EQ(long_text->Json().at("count"), 100'001);
}

TEST(ServiceTest, RefusesEmptyKeysAndNames) {
  FakeEngine engine;
  LocalPolicy policy;
  EXPECT_FALSE(Service::Create(engine, policy, {.api_keys = {""}}).has_value());
  EXPECT_FALSE(Service::Create(engine, policy, {.model_names = {""}}).has_value());
}

}  // namespace
}  // namespace jikji
