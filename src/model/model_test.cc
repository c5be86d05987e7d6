// What a model's folder says beside its weights: stop ids, templates, defaults, and what is wrong.
#include "model/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "model/golden_models.h"
#include "model/memory_plan.h"
#include "model/test_adapters.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const fs::path kBuiltIn = fs::path(JIKJI_SOURCE_DIR) / "models/jikji-mini-ko";

// The built-in model in a folder of its own, where any file can be changed.
class ModelTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(fs::exists(kBuiltIn));
    for (const auto& entry : fs::directory_iterator(kBuiltIn)) {
      fs::create_symlink(entry.path(), folder_.path() / entry.path().filename());
    }
  }
  void Write(const char* name, std::string_view text) {
    fs::remove(folder_.path() / name);
    ASSERT_TRUE(WriteFileAtomic(folder_.path() / name, text));
  }
  // Sets fields of a JSON file; null takes one out.
  void Change(const char* name, std::string_view changes) {
    auto object = ParseJsonFile((folder_.path() / name).string())->as_object();
    const auto parsed = ParseJson(changes);
    for (const auto& [key, value] : parsed->as_object()) {
      if (value.is_null()) {
        object.erase(key);
      } else {
        object[key] = value;
      }
    }
    Write(name, boost::json::serialize(object));
  }
  ModelDescription Describe() {
    auto model = DescribeModel(folder_.path());
    EXPECT_TRUE(model) << model.error().ToString();
    return model ? std::move(*model) : ModelDescription{};
  }
  Error ErrorOf() {
    const auto model = DescribeModel(folder_.path());
    EXPECT_FALSE(model);
    return model ? Error{} : model.error();
  }
  TemporaryFolder folder_;
};

TEST_F(ModelTest, StopIdsComeFromEverywhere) {
  fs::remove(folder_.path() / "generation_config.json");
  Change("config.json", R"({"eos_token_id":7})");
  // 7 of config.json; 5 is the tokenizer's <|end|>, 1 its <|end_of_text|>.
  EXPECT_EQ(Describe().stop_ids, (std::vector<TokenId>{1, 5, 7}));
  Write("generation_config.json", R"({"eos_token_id":[9,7]})");
  EXPECT_EQ(Describe().stop_ids, (std::vector<TokenId>{1, 5, 7, 9}));
  Write("generation_config.json", R"({"eos_token_id":4096})");
  EXPECT_THAT(ErrorOf().ToString(), testing::AllOf(HasSubstr("generation_config.json"),
                                                   HasSubstr("`eos_token_id`"), HasSubstr("4096")));
  Write("generation_config.json", R"({"eos_token_id":[-1]})");
  EXPECT_THAT(ErrorOf().message, HasSubstr("`eos_token_id` has -1"));
}

TEST_F(ModelTest, TheTemplateIsFoundInItsFourPlaces) {
  Change("tokenizer_config.json", R"({"chat_template":"from config"})");
  EXPECT_THAT(Describe().template_source, HasSubstr("messages"));  // the .jinja file comes first
  fs::remove(folder_.path() / "chat_template.jinja");
  EXPECT_EQ(Describe().template_source, "from config");
  Change("tokenizer_config.json",
         R"({"chat_template":[{"name":"rag","template":"a"},{"name":"default","template":"b"}]})");
  EXPECT_EQ(Describe().template_source, "b");
  Change("tokenizer_config.json", R"({"chat_template":[{"name":"rag","template":"a"}]})");
  EXPECT_THAT(ErrorOf().ToString(), HasSubstr("none of them named default"));
  Change("tokenizer_config.json", R"({"chat_template":[1]})");
  EXPECT_THAT(ErrorOf().ToString(), HasSubstr("tokenizer_config.json"));
  Change("tokenizer_config.json", R"({"chat_template":7})");
  EXPECT_THAT(ErrorOf().message, HasSubstr("must be a string or a list, not integer"));
  Change("tokenizer_config.json", R"({"chat_template":null})");
  Write("chat_template.json", R"({"chat_template":"own file"})");
  EXPECT_EQ(Describe().template_source, "own file");
  fs::remove(folder_.path() / "chat_template.json");
  const ModelDescription none = Describe();
  EXPECT_EQ(none.chat_template, nullptr);
  EXPECT_EQ(none.template_source, "");
}

TEST_F(ModelTest, ATemplateThatCannotBeRunIsAnErrorWithItsPlace) {
  Write("chat_template.jinja", "{% include 'x' %}");
  EXPECT_THAT(ErrorOf().ToString(), HasSubstr("chat_template.jinja"));
}

TEST_F(ModelTest, DefaultsAreReadWithinBounds) {
  Write("generation_config.json",
        R"({"temperature":0.6,"top_k":20,"top_p":0.95,"min_p":0.1,"repetition_penalty":1.05})");
  const GenerationDefaults defaults = Describe().defaults;
  EXPECT_EQ(defaults.temperature, 0.6);
  EXPECT_EQ(defaults.top_k, 20);
  EXPECT_EQ(defaults.top_p, 0.95);
  EXPECT_EQ(defaults.min_p, 0.1);
  EXPECT_EQ(defaults.repetition_penalty, 1.05);
  EXPECT_EQ(defaults.do_sample, std::nullopt);
  for (const char* bad : {R"({"temperature":-1})", R"({"top_p":1.5})", R"({"min_p":"a"})",
                          R"({"repetition_penalty":0})", R"({"top_k":1e10})", R"([])", "{"}) {
    Write("generation_config.json", bad);
    EXPECT_THAT(ErrorOf().ToString(), HasSubstr("generation_config.json")) << bad;
  }
}

TEST_F(ModelTest, WhatIsMissingIsNamed) {
  fs::remove(folder_.path() / "tokenizer.json");
  EXPECT_EQ(ErrorOf().code, ErrorCode::kNotFound);
  EXPECT_THAT(ErrorOf().message, HasSubstr("no tokenizer.json"));
  Write("config.json", "[1]");
  EXPECT_THAT(ErrorOf().ToString(), HasSubstr("config.json: must be a JSON object"));
  Write("config.json", "{\"model_type\"");
  EXPECT_THAT(ErrorOf().ToString(), HasSubstr("config.json: not valid JSON"));
  EXPECT_EQ(DescribeModel(folder_.path() / "nowhere").error().code, ErrorCode::kNotFound);
}

TEST_F(ModelTest, ATokenizerLargerThanTheEmbeddingIsRefused) {
  Change("config.json", R"({"vocab_size":4000})");
  const Error error = ErrorOf();
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
  EXPECT_THAT(error.message, HasSubstr("the tokenizer has 4096 tokens"));
  // A larger one is padding to the tokenizer, but the file must then have the rows.
  Change("config.json", R"({"vocab_size":4100})");
  EXPECT_EQ(Describe().spec.vocab, 4100);
  const auto model = LoadModel(folder_.path());
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().message, HasSubstr("`model.embed_tokens.weight` is [4096, 192]"));
}

TEST_F(ModelTest, AnAdaptersTokenizerIsTheBasesUnlessItHasRowsOfItsOwn) {
  auto model = *LoadModel(kBuiltIn);
  TemporaryFolder adapter;
  const TestAdapter small{.targets = {TensorRole::kKey}};
  ASSERT_TRUE(WriteTestAdapter(small, model.description.spec, adapter.path()));
  const fs::path file = adapter.path() / "tokenizer.json";
  fs::copy_file(kBuiltIn / "tokenizer.json", file);
  ASSERT_TRUE(AddAdapter(model, "same", adapter.path()));
  // Two tokens change places.
  boost::json::value root = *ParseJsonFile(file.string());
  boost::json::object& vocab = root.at("model").at("vocab").as_object();
  std::swap(vocab.at("a"), vocab.at("b"));
  ASSERT_TRUE(WriteFileAtomic(file, boost::json::serialize(root)));
  const auto refused = AddAdapter(model, "other", adapter.path());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("is not the base's"));
  EXPECT_EQ(model.description.adapters.size(), 1u);
  fs::remove(file);
  EXPECT_TRUE(AddAdapter(model, "none", adapter.path()));
}

TEST_F(ModelTest, TheMemoryPlanAddsUp) {
  const ModelDescription model = Describe();
  MemoryUse use;
  use.kv_tokens = 2048;
  use.step_tokens = 512;
  use.max_sequences = 8;
  const MemoryPlan plan = PlanMemory(*model.checkpoint, model.spec, use);
  // Every tensor is in use: matrices in BF16, whose rows are whole panels here, norms in F32.
  constexpr uint64_t kLayers = 8;
  const uint64_t norms = (2 * kLayers + 1) * 192;
  EXPECT_EQ(plan.weight_bytes, model.checkpoint->total_bytes() + norms * 2);
  EXPECT_EQ(plan.parameters * 2, model.checkpoint->total_bytes());
  EXPECT_EQ(plan.kv_bytes_per_token, 2 * kLayers * 1 * 64 * 2);  // K and V, layers, heads, F16
  EXPECT_EQ(plan.kv_bytes, KvCache::PageBytes(model.spec, 16, DType::kF16) * (2048 / 16));
  use.kv_dtype = DType::kQ8_0;
  EXPECT_EQ(PlanMemory(*model.checkpoint, model.spec, use).kv_bytes_per_token,
            2 * kLayers * 1 * (64 + 2 * 2));  // a scale for each 32 values
  EXPECT_EQ(plan.activation_bytes, 512u * (4 * (3 * 192 + 2 * 192 + 2 * 64 + 2 * 512) + 4));
  EXPECT_EQ(plan.logit_bytes, 8u * 4096 * 4);
  EXPECT_EQ(plan.total(),
            plan.weight_bytes + plan.kv_bytes + plan.activation_bytes + plan.logit_bytes);
}

}  // namespace
}  // namespace jikji
