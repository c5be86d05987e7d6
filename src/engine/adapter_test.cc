// Promise 1 with adapters, on the built-in model: requests to the base and to several adapters run
// in one batch, over one cache, and each has the bytes it has alone.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <set>

#include "base/test_rounds.h"
#include "engine/engine.h"
#include "engine/fake_model.h"
#include "engine/test_client.h"
#include "engine/test_extended_tokenizer.h"
#include "model/test_adapters.h"

namespace jikji {
namespace {

constexpr const char* kModel = JIKJI_SOURCE_DIR "/models/jikji-mini-ko";
constexpr int32_t kAdapters = 4;
constexpr int32_t kExtended = 3;  // the one with a vocabulary of its own
constexpr int kRounds = 40;
constexpr int kTogether = 8;

class AdapterTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "jikji-adapter-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Engine> Start(EngineOptions options) {
    auto model = LoadModel(kModel);
    EXPECT_TRUE(model) << model.error().ToString();
    for (int32_t i = 0; i < kAdapters; ++i) {
      const std::string name = fmt::format("adapter-{}", i);
      // Small enough that the language stays, large enough that the words change.
      const TestAdapter adapter{.seed = name,
                                .rank = 2 + 3 * i,
                                .alpha = 8,
                                .dora = i == 1,
                                .exponent = -4,
                                .vocab = i == kExtended ? model->description.spec.vocab + 1 : 0};
      EXPECT_TRUE(WriteTestAdapter(adapter, model->description.spec, folder_ / name));
      if (i == kExtended) WriteExtendedTokenizer(folder_ / name, model->description.spec.vocab);
      const auto added = AddAdapter(*model, name, folder_ / name);
      EXPECT_TRUE(added) << added.error().ToString();
    }
    options.context = 256;
    auto engine = Engine::Start(std::move(*model), std::move(options));
    EXPECT_TRUE(engine) << engine.error().ToString();
    return std::move(*engine);
  }

  std::filesystem::path folder_;
};

TEST_F(AdapterTest, SameBytesAloneAndInAnyCompany) {
  const std::string texts[] = {"대한민국의 수도는",
                               "옛날 옛적에 호랑이가 살았다. 그 호랑이는 산속에서 매우 오래",
                               "오늘 날씨가 좋아서 우리는 공원에 갔다. 그곳에는 많은 사람들이 "
                               "있었고, 아이들은 직지심체요절"};
  std::vector<GenerationRequest> requests;
  std::vector<std::string> alone;
  std::set<std::string> different;
  {
    EngineOptions options;
    options.threads = 1;
    options.prefix_cache = false;
    options.speculate = 0;
    const auto engine = Start(options);
    for (const std::string& text : texts) {
      for (int32_t adapter = kBaseModel; adapter < kAdapters; ++adapter) {
        GenerationRequest request;
        request.id = "alone";
        request.adapter = adapter;
        request.prompt = engine->model().Of(adapter).tokenizer->Encode(text);
        request.max_tokens = 24;
        request.ignore_eos = true;
        request.logprobs = 1;
        request.sampling.temperature = requests.size() % 2 == 0 ? 0 : 0.8;
        request.sampling.seed = 3;
        alone.push_back(Ask(*engine, request)[0].Bytes());
        different.insert(alone.back());
        requests.push_back(std::move(request));
      }
    }
  }
  EXPECT_EQ(different.size(), requests.size());  // every adapter says something of its own
  std::mt19937 random(4);
  EngineOptions options;
  options.threads = 2;
  options.step_tokens = 48;
  options.row_share_override = 0.1;
  options.chunk_override = [&random](int32_t limit) {
    return 1 + static_cast<int32_t>(random() % static_cast<uint32_t>(limit));
  };
  const auto engine = Start(options);
  std::mt19937 picks(5);
  for (int round = 0; round < TestRounds(kRounds); ++round) {
    std::vector<std::pair<size_t, std::unique_ptr<TestClient>>> parts;
    for (int i = 0; i < kTogether; ++i) {
      parts.emplace_back(picks() % requests.size(), std::make_unique<TestClient>());
      GenerationRequest request = requests[parts.back().first];
      request.id = fmt::format("{}-{}", round, i);
      ASSERT_TRUE(SubmitTo(*engine, request, *parts.back().second));
    }
    for (const auto& [pick, client] : parts) ASSERT_EQ(client->WaitOne().Bytes(), alone[pick]);
  }
  EXPECT_GT(engine->stats().prefix_hits, 0);
}

TEST_F(AdapterTest, AnExtendedVocabularyIsItsAdaptersAlone) {
  const auto engine = Start({});
  const ModelDescription& base = engine->model();
  const auto last = static_cast<TokenId>(base.spec.vocab);
  EXPECT_THAT(base.Of(kExtended).tokenizer->Encode(kNewWord), testing::ElementsAre(last));
  EXPECT_GT(base.Of(0).tokenizer->Encode(kNewWord).size(), 1u);
  GenerationRequest request;
  request.prompt = {5, last};
  request.max_tokens = 3;
  request.ignore_eos = true;
  request.sampling.logit_bias = {{last, 1000.0f}};  // so that it must come
  for (const int32_t adapter : {kBaseModel, 0}) {
    request.id = "refused";
    request.adapter = adapter;
    TestClient client;
    EXPECT_FALSE(SubmitTo(*engine, request, client));
  }
  request.id = "taken";
  request.adapter = kExtended;
  const auto answer = Ask(*engine, request)[0];
  EXPECT_THAT(answer.tokens, testing::Each(last));
  EXPECT_EQ(answer.text, std::string(kNewWord) + kNewWord + kNewWord);
}

// More tokens than the base, and nobody to make them.
TEST_F(AdapterTest, AnExtendedVocabularyWithoutATokenizerIsRefused) {
  auto model = *LoadModel(kModel);
  const int64_t vocab = model.description.spec.vocab;
  ASSERT_TRUE(WriteTestAdapter({.vocab = vocab + 1}, model.description.spec, folder_));
  EXPECT_EQ(AddAdapter(model, "x", folder_).error().code, ErrorCode::kNotFound);
  WriteExtendedTokenizer(folder_, vocab + 1);  // two more than there are rows
  EXPECT_EQ(AddAdapter(model, "x", folder_).error().code, ErrorCode::kMalformed);
  EXPECT_TRUE(model.description.adapters.empty());
}

TEST_F(AdapterTest, AnAdapterThatIsNotThereIsRefused) {
  const auto engine = Start({});
  GenerationRequest request;
  request.id = "a";
  request.prompt = {5, 6};
  request.max_tokens = 1;
  for (const int32_t adapter : {kAdapters, -2}) {
    request.adapter = adapter;
    TestClient client;
    const auto refused = SubmitTo(*engine, request, client);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().where, "adapter");
  }
}

// What a page holds is of one adapter.
TEST(AdapterCacheTest, PagesAreSharedWithinAnAdapterOnly) {
  Model model = FakeModel();
  model.description.adapters = {{"one", {}, {}}, {"two", {}, {}}};
  EngineOptions options;
  options.page_tokens = 4;
  options.context = 128;
  const auto engine = *Engine::Start(std::move(model), options);
  GenerationRequest request;
  request.prompt.assign(20, 7);
  request.max_tokens = 4;
  request.ignore_eos = true;
  std::vector<int64_t> cached;
  for (const int32_t adapter : {kBaseModel, 0, 1, 0, kBaseModel}) {
    request.id = fmt::format("c{}", cached.size());
    request.adapter = adapter;
    cached.push_back(Ask(*engine, request)[0].cached_tokens);
  }
  EXPECT_THAT(cached, testing::ElementsAre(0, 0, 0, 16, 16));
}

}  // namespace
}  // namespace jikji
