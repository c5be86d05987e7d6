// Promise 1 on the built-in model: what a request generates does not depend on what shares its
// batch, on how its prompt is cut into steps, on what is found in the prefix cache, on preemption,
// on drafts, or on how many threads run.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "base/test_rounds.h"
#include "engine/engine.h"
#include "engine/test_client.h"
#include "model/kv_cache.h"
#include "model/model.h"

namespace jikji {
namespace {

constexpr const char* kModel = JIKJI_SOURCE_DIR "/models/jikji-mini-ko";
constexpr int kSchedules = 200;
constexpr int kThreadCounts[] = {1, 2};
constexpr int kTogether = 8;  // requests in the batch
// Pages of the KV cache: a request has up to 9, so what was computed is soon given up for others.
constexpr int kPages = 16;

std::unique_ptr<Engine> StartBuiltIn(const EngineOptions& options) {
  auto model = LoadModel(kModel);
  EXPECT_TRUE(model.has_value()) << model.error().ToString();
  if (!model) return nullptr;
  auto engine = Engine::Start(std::move(*model), options);
  EXPECT_TRUE(engine.has_value()) << engine.error().ToString();
  return engine ? std::move(*engine) : nullptr;
}

// Requests that between them use every part of sampling.
std::vector<GenerationRequest> Requests(const Tokenizer& tokenizer) {
  const std::string texts[] = {
      "대한민국의 수도는",
      "옛날 옛적에 호랑이가",
      "오늘 날씨가 좋아서 우리는 공원에 갔다. 그곳에는 많은 사람들이 있었고, 아이들은",
      "직지는 세계에서 가장 오래된 금속활자본으로, 1377년 청주 흥덕사에서 간행되었다. 그 뒤로 "
      "오랫동안 알려지지 않다가 프랑스 국립도서관에서 발견되어 세계의 주목을 받았다. 이 책은",
      "a = 1; b = 2; 그리고 c는",
      "봄",
      "하나 둘 셋 넷, 하나 둘 셋 넷, 하나 둘 셋 넷, 하나 둘",
  };
  std::vector<GenerationRequest> requests;
  std::mt19937 random(77);
  for (int i = 0; i < 24; ++i) {
    GenerationRequest request;
    request.id = fmt::format("request-{}", i);
    request.prompt = tokenizer.Encode(texts[static_cast<size_t>(i) % std::size(texts)]);
    request.max_tokens = 4 + static_cast<int64_t>(random() % 17);
    // Long enough to fall into repetition, which is where drafts are right: greedy, where it lasts,
    // and drawn at a low temperature, where it ends.
    if (i % 6 < 2) request.max_tokens = 60;
    request.stop_ids = {1, 5};
    request.logprobs = i % 4 == 0 ? -1 : i % 4;
    request.prompt_logprobs = i % 5 == 0 ? 2 : -1;
    if (i % 10 == 5) request.first_prompt_logprob = 1 + static_cast<int64_t>(random() % 20);
    request.choices = i % 7 == 0 ? 2 : 1;
    SamplingParams& sampling = request.sampling;
    sampling.seed = random();
    sampling.temperature = i % 3 == 0 ? 0.0 : i % 6 == 1 ? 0.4 : 0.7 + 0.1 * (i % 5);
    if (i % 4 == 1) sampling.top_k = 40;
    if (i % 4 == 2) sampling.top_p = 0.9;
    if (i % 6 == 4) sampling.min_p = 0.05;
    if (i % 5 == 3) sampling.repetition_penalty = 1.2;
    if (i % 5 == 4) sampling.presence_penalty = 0.5;
    if (i % 8 == 7) request.stop = {"다.", "이 "};
    requests.push_back(std::move(request));
  }
  return requests;
}

std::vector<std::string> Bytes(const std::vector<Answer>& answers) {
  std::vector<std::string> bytes;
  for (const Answer& answer : answers) bytes.push_back(answer.Bytes());
  return bytes;
}

class PromiseTest : public testing::Test {
 protected:
  // Alone, one thread, prompts in one step, nothing cached: what all else is held to.
  void SetUp() override {
    EngineOptions options = Options(1);
    options.prefix_cache = false;
    options.speculate = 0;
    const auto engine = StartBuiltIn(options);
    ASSERT_NE(engine, nullptr);
    page_bytes_ = KvCache::PageBytes(engine->model().spec, options.page_tokens, options.kv_dtype);
    requests_ = Requests(*engine->model().tokenizer);
    for (const GenerationRequest& request : requests_) {
      const auto answers = Ask(*engine, request);
      for (const Answer& answer : answers) {
        EXPECT_EQ(answer.text,
                  engine->model().tokenizer->Decode(answer.tokens).substr(0, answer.text.size()));
        EXPECT_GT(answer.output_tokens, 0);
      }
      alone_.push_back(Bytes(answers));
    }
  }

  static EngineOptions Options(size_t threads) {
    EngineOptions options;
    options.threads = threads;
    options.context = 256;
    options.max_running = kTogether;
    return options;
  }

  std::vector<GenerationRequest> requests_;
  std::vector<std::vector<std::string>> alone_;
  uint64_t page_bytes_ = 0;
};

TEST_F(PromiseTest, SameBytesInAnySchedule) {
  for (const int threads : kThreadCounts) {
    std::mt19937 chunks(static_cast<uint32_t>(threads));
    EngineOptions options = Options(static_cast<size_t>(threads));
    options.step_tokens = 48;
    options.kv_bytes = kPages * page_bytes_;
    options.row_share_override = 0.1;
    options.chunk_override = [&chunks](int32_t limit) {
      return 1 + static_cast<int32_t>(chunks() % static_cast<uint32_t>(limit));
    };
    auto engine = StartBuiltIn(options);
    ASSERT_NE(engine, nullptr);
    std::mt19937 random(static_cast<uint32_t>(100 + threads));
    int cancelled = 0;
    for (int schedule = 0; schedule < TestRounds(kSchedules / 2); ++schedule) {
      struct Part {
        size_t request;
        bool leaves;
        std::unique_ptr<TestClient> client;
      };
      std::vector<Part> parts;
      for (int i = 0; i < kTogether; ++i) {
        const size_t pick = random() % requests_.size();
        GenerationRequest request = requests_[pick];
        request.id = fmt::format("{}-{}-{}", threads, schedule, i);
        parts.push_back({pick, random() % 5 == 0, std::make_unique<TestClient>(request.choices)});
        const char* salts[] = {"", "a", "b"};
        const auto submitted = SubmitTo(*engine, request, *parts.back().client,
                                        static_cast<int32_t>(random() % 3), salts[random() % 3]);
        ASSERT_TRUE(submitted.has_value());
        // Others arrive in the midst of its work, and some leave in the midst of theirs.
        if (random() % 2 == 0) parts[random() % parts.size()].client->WaitForTokens(random() % 6);
        if (parts.back().leaves) engine->Cancel(request.id);
      }
      for (const Part& part : parts) {
        const auto answers = part.client->Wait();
        for (size_t choice = 0; choice < answers.size(); ++choice) {
          if (answers[choice].finish == FinishReason::kCancelled) {
            ASSERT_TRUE(part.leaves);
            ++cancelled;
          } else {
            ASSERT_EQ(answers[choice].Bytes(), alone_[part.request][choice])
                << "request " << part.request << " in schedule " << schedule << " with " << threads
                << " threads";
          }
        }
      }
    }
    EXPECT_EQ(engine->stats().pages_used, 0);
    if (TestRounds(kSchedules) < kSchedules) continue;  // a share of them need not meet every case
    EXPECT_GT(cancelled, 0);
    EXPECT_GT(engine->stats().preemptions, 0);
    EXPECT_GT(engine->stats().accepted_tokens, 0);
    EXPECT_GT(engine->stats().draft_tokens, engine->stats().accepted_tokens);
    EXPECT_GT(engine->stats().prefix_hits, 0);
    EXPECT_LT(engine->stats().prefix_hits, engine->stats().prefix_queries);
  }
}

}  // namespace
}  // namespace jikji
