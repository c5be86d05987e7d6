// Adapters beside their base: logits of merged models (tests/goldens/adapters), and promise 1.
#include "model/decoder_adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstring>
#include <limits>

#include "base/json.h"
#include "model/golden_models.h"
#include "model/model.h"
#include "model/test_adapters.h"

namespace jikji {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

// A decoder of a golden model, and a place for adapters.
struct Adapted {
  explicit Adapted(std::string_view name) : model(GoldenNamed(name)) {
    EXPECT_TRUE(WriteFolder(model, folder.path(), AllAs(DType::kF32)));
    decoder = *LoadDecoder(folder.path());
  }

  Result<int32_t> Add(const TestAdapter& adapter) {
    const auto path = folder.path() / "adapter";
    JIKJI_RETURN_IF_ERROR(WriteTestAdapter(adapter, decoder->spec(), path));
    JIKJI_ASSIGN(const PeftAdapter opened, PeftAdapter::Open(path, decoder->spec()));
    return decoder->AddAdapter(opened);
  }

  const GoldenModel& model;
  TemporaryFolder folder;
  std::unique_ptr<Decoder> decoder;
};

// Sequences of one batch, whose logits are all wanted: each of `parts` is {tokens, adapter}.
struct Part {
  std::vector<int32_t> tokens;
  int32_t adapter = kBaseModel;
  int64_t vocab = 0;  // of the adapter; 0: the base's
};
std::vector<std::vector<float>> RunTogether(Decoder& decoder, const std::vector<Part>& parts,
                                            size_t threads = 2) {
  constexpr int32_t kPageTokens = 16, kPagesEach = 4;
  KvCache cache = *KvCache::Create(decoder.spec(), kPagesEach * static_cast<int32_t>(parts.size()),
                                   kPageTokens, DType::kF32);
  std::vector<int32_t> tokens, rows, adapters;
  std::vector<std::vector<int32_t>> pages(parts.size());
  std::vector<kernels::AttentionSlice> slices;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto first = static_cast<int32_t>(tokens.size());
    for (int32_t p = 0; p < kPagesEach; ++p) {
      pages[i].push_back(static_cast<int32_t>(i) * kPagesEach + p);
    }
    slices.push_back({first, static_cast<int32_t>(parts[i].tokens.size()), 0, pages[i]});
    adapters.push_back(parts[i].adapter);
    for (const int32_t token : parts[i].tokens) {
      rows.push_back(static_cast<int32_t>(tokens.size()));
      tokens.push_back(token);
    }
  }
  const int64_t stride = decoder.logit_stride();
  std::vector<float> logits(rows.size() * static_cast<size_t>(stride));
  ThreadPool pool(threads);
  EXPECT_TRUE(decoder.Forward({tokens, slices, rows, adapters}, cache, logits, pool));
  std::vector<std::vector<float>> out;
  auto row = logits.begin();
  for (const Part& part : parts) {
    out.emplace_back();
    for (size_t i = 0; i < part.tokens.size(); ++i, row += stride) {
      out.back().insert(out.back().end(), row,
                        row + (part.vocab > 0 ? part.vocab : decoder.spec().vocab));
    }
  }
  return out;
}

// The model with the adapter's embedding and head instead of its own, its head untied.
Result<> WriteExtended(GoldenModel model, const PeftAdapter& adapter,
                       const std::filesystem::path& folder) {
  std::erase_if(model.tensors, [](const GoldenTensor& t) { return t.name == "lm_head.weight"; });
  const auto place = [&](std::string name, const TensorView& rows) -> Result<> {
    GoldenTensor tensor{
        .name = std::move(name), .gguf_name = {}, .shape = rows.shape, .values = {}};
    JIKJI_ASSIGN(tensor.values, UnpackTensor(rows));
    model.tensors.push_back(std::move(tensor));
    return {};
  };
  std::erase_if(model.tensors,
                [](const GoldenTensor& t) { return t.name == "model.embed_tokens.weight"; });
  JIKJI_RETURN_IF_ERROR(place("model.embed_tokens.weight", adapter.embedding));
  JIKJI_RETURN_IF_ERROR(place("lm_head.weight", adapter.head));
  json::value config = json::parse(model.config);
  config.as_object()["vocab_size"] = adapter.vocab;
  config.as_object()["tie_word_embeddings"] = false;
  model.config = json::serialize(config);
  std::filesystem::create_directories(folder);
  return WriteFolder(model, folder, AllAs(DType::kF32));
}

TEST(DecoderAdapterGoldens, LogitsAreOfTheMergedModel) {
  const json::value file =
      *ParseJsonFile(std::string(JIKJI_SOURCE_DIR) + "/tests/goldens/adapters/logits.json");
  for (const json::value& item : file.at("models").as_array()) {
    const std::string name(item.at("name").as_string());
    const bool dora = item.at("kind").as_string() == "dora";
    SCOPED_TRACE(name + (dora ? " with DoRA" : " with LoRA"));
    Adapted adapted(name);
    const auto number = adapted.Add({.seed = name,
                                     .rank = file.at("rank").to_number<int64_t>(),
                                     .alpha = file.at("alpha").to_number<double>(),
                                     .dora = dora});
    ASSERT_TRUE(number) << number.error().ToString();
    const auto logits = RunTogether(*adapted.decoder, {{adapted.model.prompt, *number}})[0];
    std::vector<float> wanted;
    for (const json::value& x : item.at("logits").as_array()) {
      wanted.push_back(x.to_number<float>());
    }
    EXPECT_LT(RelativeError(std::span(logits).last(wanted.size()), wanted), 1e-4);
  }
}

TEST(DecoderAdapterTest, BaseAndAdaptersInOneBatchHaveTheBitsOfEachAlone) {
  for (const char* name : {"llama-bias", "exaone4-hybrid"}) {
    SCOPED_TRACE(name);
    Adapted adapted(name);
    Decoder& decoder = *adapted.decoder;
    const std::vector<int32_t>& prompt = adapted.model.prompt;
    const auto before = RunTogether(decoder, {{prompt, kBaseModel}})[0];
    ASSERT_EQ(adapted.Add({.seed = "one"}), 0);
    ASSERT_EQ(adapted.Add({.seed = "two", .rank = 7, .dora = true}), 1);
    ASSERT_EQ(adapted.Add({.seed = "three", .rank = 1, .targets = {TensorRole::kValue}}), 2);
    std::vector<Part> parts;
    std::vector<std::vector<float>> alone;
    for (int32_t i = 0; i < 9; ++i) {
      std::vector<int32_t> tokens(prompt.begin() + i, prompt.begin() + i + 1 + i % 4 * 5);
      parts.push_back({tokens, i % 4 - 1});
      alone.push_back(RunTogether(decoder, {parts.back()}, 1)[0]);
    }
    EXPECT_EQ(RunTogether(decoder, parts), alone);
    EXPECT_EQ(RunTogether(decoder, {{prompt, kBaseModel}})[0], before);
    EXPECT_NE(RunTogether(decoder, {{prompt, 0}})[0], before);
  }
}

// With an embedding and a head of its own, for more tokens than the base knows, an adapter gives
// the bits of the extended model with the adapter's projections; whatever else is in the batch.
TEST(DecoderAdapterTest, AnExtendedVocabularyBesideItsBase) {
  for (const char* name : {"llama-bias", "qwen3"}) {
    SCOPED_TRACE(name);
    Adapted adapted(name);
    Decoder& decoder = *adapted.decoder;
    const int64_t old = decoder.spec().vocab, vocab = old + 5;
    const TestAdapter own{.seed = "own", .vocab = vocab};
    std::vector<int32_t> prompt = adapted.model.prompt;
    const auto before = RunTogether(decoder, {{prompt}})[0];
    ASSERT_EQ(adapted.Add({.seed = "plain"}), 0);
    ASSERT_EQ(adapted.Add(own), 1);
    EXPECT_EQ(decoder.logit_stride(), vocab);
    std::vector<int32_t> longer = prompt;
    for (int64_t token = old; token < vocab; ++token) {
      longer.push_back(static_cast<int32_t>(token));
    }
    const auto together =
        RunTogether(decoder, {{longer, 1, vocab}, {prompt}, {prompt, 0}, {longer, 1, vocab}});
    EXPECT_EQ(together[0], RunTogether(decoder, {{longer, 1, vocab}}, 1)[0]);
    EXPECT_EQ(together[3], together[0]);
    EXPECT_EQ(together[1], before);
    EXPECT_EQ(together[2], RunTogether(decoder, {{prompt, 0}}, 1)[0]);

    const auto path = adapted.folder.path() / "extended";
    ASSERT_TRUE(WriteTestAdapter(own, decoder.spec(), path));
    const auto parts = *PeftAdapter::Open(path, decoder.spec());
    ASSERT_TRUE(WriteExtended(adapted.model, parts, adapted.folder.path() / "model"));
    const auto extended = *LoadDecoder(adapted.folder.path() / "model");
    ASSERT_TRUE(WriteTestAdapter({.seed = "own"}, extended->spec(), path));
    ASSERT_EQ(extended->AddAdapter(*PeftAdapter::Open(path, extended->spec())), 0);
    EXPECT_EQ(together[0], RunTogether(*extended, {{longer, 0}})[0]);
  }
}

TEST(DecoderAdapterTest, OfAQuantisedBase) {
  GoldenModel model = GoldenNamed("llama");
  TemporaryFolder folder;
  const auto file = folder.path() / "m.gguf";
  ASSERT_TRUE(WriteGguf(model, file, MatricesAs(DType::kQ8_0)));
  const auto decoder = *LoadDecoder(file);

  const auto path = folder.path() / "adapter";
  ASSERT_TRUE(WriteTestAdapter({.seed = "q", .dora = true}, decoder->spec(), path));
  const auto number = decoder->AddAdapter(*PeftAdapter::Open(path, decoder->spec()));
  ASSERT_TRUE(number) << number.error().ToString();
  const auto logits = RunTogether(*decoder, {{model.prompt, *number}, {model.prompt, kBaseModel}});
  EXPECT_EQ(logits[0], RunTogether(*decoder, {{model.prompt, *number}})[0]);
  EXPECT_EQ(logits[1], RunTogether(*decoder, {{model.prompt, kBaseModel}})[0]);
  EXPECT_NE(logits[0], logits[1]);
}

class PeftAdapterTest : public ::testing::Test {
 protected:
  Result<PeftAdapter> Open(const TestAdapter& adapter, std::string_view config = {}) {
    EXPECT_TRUE(WriteTestAdapter(adapter, spec_, folder_.path(), config));
    return PeftAdapter::Open(folder_.path(), spec_);
  }
  void ExpectRefused(std::string_view config, std::string_view message) {
    const auto opened = Open({}, config);
    ASSERT_FALSE(opened) << config;
    EXPECT_THAT(opened.error().message, HasSubstr(std::string(message)));
    EXPECT_THAT(opened.error().where, HasSubstr("adapter_"));
  }

  TemporaryFolder folder_;
  DecoderSpec spec_ = [] {
    Adapted adapted("llama");
    return adapted.decoder->spec();
  }();
};

TEST_F(PeftAdapterTest, ReadsWhatPeftWrites) {
  const auto adapter = Open({.rank = 3, .alpha = 6, .targets = {TensorRole::kUp}});
  ASSERT_TRUE(adapter) << adapter.error().ToString();
  EXPECT_EQ(adapter->config.scale(), 2.0f);
  ASSERT_EQ(adapter->matrices.size(), spec_.layers.size());
  EXPECT_EQ(adapter->matrices[1].layer, 1);
  EXPECT_EQ(adapter->matrices[1].role, TensorRole::kUp);
  EXPECT_EQ(adapter->matrices[1].a.name,
            "base_model.model.model.layers.1.mlp.up_proj.lora_A.weight");
  const PeftConfig stabilised{.rank = 16, .alpha = 8, .rank_stabilised = true, .dora = false};
  EXPECT_EQ(stabilised.scale(), 2.0f);
}

TEST_F(PeftAdapterTest, ValuesThatAreNotFiniteAreNamed) {
  ASSERT_TRUE(Open({.targets = {TensorRole::kKey}}));
  const auto file = folder_.path() / "adapter_model.safetensors";
  std::string bytes = *ReadFile(file);
  const float bad = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(bytes.data() + bytes.size() - sizeof bad, &bad, sizeof bad);
  ASSERT_TRUE(WriteFileAtomic(file, bytes));
  const auto refused = PeftAdapter::Open(folder_.path(), spec_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("k_proj.lora_B.weight` holds values"));
  ExpectRefused(R"({"peft_type": "LORA", "r": 4, "lora_alpha": 1e308})", "too large");
}

TEST_F(PeftAdapterTest, WhatWouldBeLeftOutIsRefused) {
  const auto with = [](std::string_view fields) {
    return R"({"peft_type": "LORA", "r": 4, "lora_alpha": 8)" + std::string(fields) + "}";
  };
  EXPECT_TRUE(Open({}, with("")));
  ExpectRefused(with(R"(, "modules_to_save": ["mlp"])"), "names `mlp`");
  ExpectRefused(with(R"(, "modules_to_save": "all")"), "must be a list");
  ExpectRefused(with(R"(, "modules_to_save": ["model.embed_tokens"])"),
                "`base_model.model.model.embed_tokens.weight` is missing");
  ExpectRefused(with(R"(, "modules_to_save": ["lm_head"])"), "lm_head.weight` is missing");
  ExpectRefused(with(R"(, "bias": "lora_only")"), "`bias`");
  ExpectRefused(with(R"(, "rank_pattern": {"q_proj": 8})"), "`rank_pattern`");
  ExpectRefused(with(R"(, "init_lora_weights": "pissa_niter_4")"), "changed its base");
  ExpectRefused(with(R"(, "use_dora": true)"), "lora_magnitude_vector` is missing");
  ExpectRefused(R"({"peft_type": "LORA", "r": 5, "lora_alpha": 8})", "to fit the base");
  ExpectRefused(R"({"peft_type": "LORA", "r": 0, "lora_alpha": 8})", "`r` must be");
  ExpectRefused(R"({"peft_type": "LORA", "r": 4})", "`lora_alpha` must be");
  ExpectRefused(R"({"peft_type": "VERA", "r": 4})", "`VERA`");
  ExpectRefused("[]", "must be a JSON object");
  // Of another model.
  spec_.layers.pop_back();
  const TestAdapter small{.targets = {TensorRole::kKey}};
  ASSERT_TRUE(Open(small));
  DecoderSpec fewer = spec_;
  fewer.layers.pop_back();
  const auto other = PeftAdapter::Open(folder_.path(), fewer);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("is of no projection"));
  std::filesystem::remove(folder_.path() / "adapter_model.safetensors");
  EXPECT_EQ(PeftAdapter::Open(folder_.path(), spec_).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace jikji
