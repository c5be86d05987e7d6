// Configurations: what is read from them, and that nothing absurd gets through.
#include "model/spec_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "model/golden_models.h"

namespace jikji {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::string_view kLlama =
    R"({"model_type":"llama","hidden_size":64,"intermediate_size":96,"num_hidden_layers":3,)"
    R"("num_attention_heads":4,"num_key_value_heads":2,"vocab_size":256,)"
    R"("max_position_embeddings":128,"rms_norm_eps":1e-5})";

// `config` with the fields of `changes` over it.
boost::json::object With(std::string_view config, std::string_view changes) {
  auto object = ParseJson(config)->as_object();
  const auto parsed = ParseJson(changes);
  EXPECT_TRUE(parsed) << changes;
  for (const auto& [key, value] : parsed->as_object()) object[key] = value;
  return object;
}

DecoderSpec Read(std::string_view config, std::string_view changes) {
  const auto spec = SpecFromConfig(With(config, changes), "config.json");
  EXPECT_TRUE(spec) << spec.error().ToString();
  return spec.value_or(DecoderSpec{});
}

std::string ErrorOf(std::string_view changes, ErrorCode code = ErrorCode::kMalformed) {
  const auto spec = SpecFromConfig(With(kLlama, changes), "config.json");
  EXPECT_FALSE(spec) << changes;
  if (spec) return "";
  EXPECT_EQ(spec.error().code, code) << changes;
  EXPECT_EQ(spec.error().where, "config.json");
  return spec.error().message;
}

TEST(SpecReaderTest, OldLlamaConfigsHaveDefaults) {
  const DecoderSpec spec = Read(kLlama, R"({"num_key_value_heads":null})");
  EXPECT_EQ(spec.kv_heads, 4);
  EXPECT_EQ(spec.head_dim, 16);
  EXPECT_EQ(spec.rope.theta, 10000.0);
  EXPECT_FALSE(spec.tied_head);
  EXPECT_TRUE(spec.pre_norm);
  EXPECT_EQ(spec.layers.size(), 3u);
}

TEST(SpecReaderTest, BothFormsOfRopeAreRead) {
  for (const char* form : {R"({"rope_theta":5e5,"rope_scaling":{"type":"yarn","factor":4,)"
                           R"("original_max_position_embeddings":32}})",
                           R"({"rope_parameters":{"rope_theta":5e5,"rope_type":"yarn","factor":4,)"
                           R"("original_max_position_embeddings":32}})"}) {
    const DecoderSpec spec = Read(kLlama, form);
    EXPECT_EQ(spec.rope.scaling, RopeSpec::Scaling::kYarn);
    EXPECT_EQ(spec.rope.theta, 5e5);
    EXPECT_EQ(spec.rope.factor, 4);
    EXPECT_EQ(spec.rope.original_max_position, 32);
  }
  // DeepSeek's way of giving YaRN's magnitude: equal multipliers leave 1.
  EXPECT_EQ(Read(kLlama, R"({"rope_scaling":{"type":"yarn","factor":4,"mscale":0.7,)"
                         R"("mscale_all_dim":0.7}})")
                .rope.attention_factor,
            1.0);
}

TEST(SpecReaderTest, Exaone4PatternsAreRead) {
  const auto rope = [](std::string_view changes) {
    std::string local;
    for (const LayerSpec& layer :
         Read(kLlama, std::string(R"({"model_type":"exaone4","num_hidden_layers":6,)") +
                          std::string(changes))
             .layers) {
      EXPECT_EQ(layer.rope, layer.window != 0);
      local += layer.window != 0 ? 'L' : 'G';
    }
    return local;
  };
  EXPECT_EQ(rope(R"("sliding_window":16,"sliding_window_pattern":"LLG"})"), "LLGLLG");
  // The last layer is global whatever the letters say.
  EXPECT_EQ(rope(R"("sliding_window":16,"sliding_window_pattern":"LLLG"})"), "LLLGLG");
  EXPECT_EQ(rope(R"("sliding_window":16,"sliding_window_pattern":4})"), "LLLGLL");
  EXPECT_EQ(rope(R"("sliding_window":16,"layer_types":["full_attention","sliding_attention",)"
                 R"("full_attention","full_attention","full_attention","full_attention"]})"),
            "GLGGGG");
  const DecoderSpec global = Read(
      kLlama, R"({"model_type":"exaone4","sliding_window":null,"sliding_window_pattern":"LLLG"})");
  for (const LayerSpec& layer : global.layers) {
    EXPECT_TRUE(layer.rope);
    EXPECT_EQ(layer.window, 0);
  }
}

TEST(SpecReaderTest, QwenWindowsCountOnlyWhereTheyAreUsed) {
  const auto windows = [](std::string_view changes) {
    std::vector<int32_t> out;
    for (const LayerSpec& layer : Read(kLlama, changes).layers) out.push_back(layer.window);
    return out;
  };
  EXPECT_EQ(windows(R"({"model_type":"qwen2","use_sliding_window":false,"sliding_window":16,)"
                    R"("max_window_layers":1})"),
            (std::vector<int32_t>{0, 0, 0}));
  EXPECT_EQ(windows(R"({"model_type":"qwen2","use_sliding_window":true,"sliding_window":16,)"
                    R"("max_window_layers":1})"),
            (std::vector<int32_t>{0, 16, 16}));
  EXPECT_EQ(windows(R"({"model_type":"mistral","sliding_window":null})"),
            (std::vector<int32_t>{0, 0, 0}));
  EXPECT_EQ(Read(kLlama, R"({"model_type":"qwen3"})").head_dim, 128);
}

TEST(SpecReaderTest, AnUnknownModelIsToldWhatIsSupported) {
  EXPECT_THAT(ErrorOf(R"({"model_type":"gemma3"})", ErrorCode::kUnsupported),
              AllOf(HasSubstr("gemma3"), HasSubstr("llama, mistral, qwen2, qwen3, exaone4")));
  EXPECT_THAT(ErrorOf(R"({"model_type":null})"), HasSubstr("`model_type` is missing"));
  EXPECT_THAT(ErrorOf(R"({"model_type":7})"), HasSubstr("must be a string, not integer"));
  const std::string huge(5000, 'x');
  EXPECT_LT(ErrorOf(R"({"model_type":")" + huge + R"("})", ErrorCode::kUnsupported).size(), 300u);
}

TEST(SpecReaderTest, UnsupportedPartsAreNamed) {
  const auto error = [](std::string_view changes) {
    return ErrorOf(changes, ErrorCode::kUnsupported);
  };
  EXPECT_THAT(error(R"({"hidden_act":"gelu"})"), HasSubstr("`hidden_act` is \"gelu\""));
  EXPECT_THAT(error(R"({"quantization_config":{"quant_method":"awq"}})"),
              HasSubstr("`quantization_config`"));
  EXPECT_THAT(error(R"({"rope_scaling":{"type":"longrope"}})"),
              HasSubstr("`rope_scaling.type` is \"longrope\""));
  EXPECT_THAT(error(R"({"partial_rotary_factor":0.5})"), HasSubstr("`partial_rotary_factor`"));
  EXPECT_THAT(error(R"({"rope_parameters":{"full_attention":{"rope_type":"default"}}})"),
              HasSubstr("`rope_parameters.full_attention`"));
  EXPECT_THAT(error(R"({"model_type":"qwen2","layer_types":["full_attention","x","y"]})"),
              HasSubstr("\"x\" for layer 1"));
}

TEST(SpecReaderTest, AbsurdNumbersAreRefusedByName) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"hidden_size":0})", "`hidden_size` is 0"},
      {R"({"hidden_size":-64})", "`hidden_size` is -64"},
      {R"({"hidden_size":9223372036854775807})", "`hidden_size`"},
      {R"({"hidden_size":64.5})", "`hidden_size` must be an integer"},
      {R"({"hidden_size":"64"})", "`hidden_size` must be an integer, not string"},
      {R"({"hidden_size":null})", "`hidden_size` is missing"},
      {R"({"num_hidden_layers":513})", "`num_hidden_layers` is 513; it must be from 1 to 512"},
      {R"({"num_attention_heads":0})", "`num_attention_heads`"},
      {R"({"num_attention_heads":5,"num_key_value_heads":5})", "`num_attention_heads` is 5"},
      {R"({"num_key_value_heads":3})", "`num_key_value_heads` is 3, which does not divide"},
      {R"({"head_dim":15})", "`head_dim` is 15; it must be even"},
      {R"({"head_dim":4096})", "`head_dim` is 4096"},
      {R"({"intermediate_size":1e18})", "`intermediate_size`"},
      {R"({"vocab_size":0})", "`vocab_size`"},
      {R"({"max_position_embeddings":1e12})", "`max_position_embeddings`"},
      {R"({"rms_norm_eps":0})", "`rms_norm_eps`"},
      {R"({"rms_norm_eps":-1e-5})", "`rms_norm_eps`"},
      {R"({"tie_word_embeddings":1})", "`tie_word_embeddings` must be a boolean"},
      {R"({"rope_theta":0})", "`rope_theta`"},
      {R"({"rope_theta":1})", "`rope_theta`"},
      {R"({"rope_scaling":[]})", "`rope_scaling` must be an object"},
      {R"({"rope_scaling":{"type":"linear"}})", "`rope_scaling.factor` is missing"},
      {R"({"rope_scaling":{"type":"linear","factor":0}})", "`rope_scaling.factor` is 0"},
      {R"({"rope_scaling":{"rope_type":"llama3","factor":8}})",
       "`rope_scaling.low_freq_factor` is missing"},
      {R"({"rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":4,)"
       R"("high_freq_factor":1}})",
       "`rope_scaling.high_freq_factor`"},
      {R"({"rope_scaling":{"type":"yarn","factor":4,"original_max_position_embeddings":0}})",
       "`rope_scaling.original_max_position_embeddings`"},
      {R"({"rope_scaling":{"type":"yarn","factor":-4}})", "`rope_scaling.factor`"},
      {R"({"model_type":"mistral","sliding_window":0})", "`sliding_window` is 0"},
      {R"({"model_type":"qwen2","layer_types":["full_attention"]})", "1 entries for 3 layers"},
      {R"({"model_type":"qwen2","layer_types":[1,2,3]})", "`layer_types` must hold only strings"},
      {R"({"model_type":"exaone4","sliding_window":null,)"
       R"("layer_types":["sliding_attention","full_attention","full_attention"]})",
       "gives layer 0 a window, but none is set"},
      {R"({"model_type":"exaone4","sliding_window":8,"sliding_window_pattern":"LXG"})",
       "`sliding_window_pattern` is \"LXG\""},
      {R"({"model_type":"exaone4","sliding_window":8,"sliding_window_pattern":0})",
       "`sliding_window_pattern` is 0"},
      {R"({"model_type":"hyperclovax","residual_multiplier":0})", "`residual_multiplier` is 0"},
  };
  for (const auto& [changes, message] : cases) {
    EXPECT_THAT(ErrorOf(changes), HasSubstr(message)) << changes;
  }
}

// GGUF: each case changes one key of a good file.
std::string GgufErrorOf(std::string_view key, std::optional<GgufValue> value,
                        ErrorCode code = ErrorCode::kMalformed) {
  const GoldenModel& model = GoldenNamed("exaone4-hybrid");
  GgufMetadata keys;
  for (const auto& [name, old] : model.gguf.entries()) {
    if (name != key) keys.Insert(name, old);
  }
  if (value) keys.Insert(std::string(key), *value);
  TemporaryFolder folder;
  const auto path = folder.path() / "model.gguf";
  EXPECT_TRUE(WriteGguf(model, path, AllAs(DType::kF32), &keys));
  const auto decoder = LoadDecoder(path);
  EXPECT_FALSE(decoder) << key;
  if (decoder) return "";
  EXPECT_EQ(decoder.error().code, code) << key << ": " << decoder.error().message;
  EXPECT_THAT(decoder.error().where, HasSubstr("model.gguf"));
  return decoder.error().message;
}

TEST(SpecReaderTest, AbsurdGgufKeysAreRefusedByName) {
  using Flags = std::vector<bool>;
  const std::string a = "exaone4.";
  EXPECT_THAT(GgufErrorOf("general.architecture", std::nullopt), HasSubstr("is missing"));
  EXPECT_THAT(GgufErrorOf("general.architecture", "mamba", ErrorCode::kUnsupported),
              AllOf(HasSubstr("mamba"), HasSubstr("llama, qwen2, qwen3, exaone4")));
  EXPECT_THAT(GgufErrorOf(a + "embedding_length", std::nullopt),
              HasSubstr("`exaone4.embedding_length` is missing"));
  EXPECT_THAT(GgufErrorOf(a + "block_count", int64_t{100000}), HasSubstr("`exaone4.block_count`"));
  EXPECT_THAT(GgufErrorOf(a + "block_count", "four"), HasSubstr("exaone4.block_count"));
  EXPECT_THAT(GgufErrorOf(a + "attention.head_count", int64_t{0}), HasSubstr("head_count"));
  EXPECT_THAT(GgufErrorOf(a + "attention.head_count_kv", int64_t{3}), HasSubstr("head_count_kv"));
  EXPECT_THAT(GgufErrorOf(a + "attention.value_length", int64_t{8}, ErrorCode::kUnsupported),
              HasSubstr("value_length"));
  EXPECT_THAT(GgufErrorOf(a + "rope.dimension_count", int64_t{8}, ErrorCode::kUnsupported),
              HasSubstr("rope.dimension_count"));
  EXPECT_THAT(GgufErrorOf(a + "vocab_size", int64_t{257}), HasSubstr("has only 256 rows"));
  EXPECT_THAT(GgufErrorOf(a + "expert_count", int64_t{8}, ErrorCode::kUnsupported),
              HasSubstr("expert_count"));
  EXPECT_THAT(GgufErrorOf(a + "rope.scaling.type", "longrope", ErrorCode::kUnsupported),
              HasSubstr("longrope"));
  EXPECT_THAT(GgufErrorOf(a + "attention.sliding_window_pattern", Flags{true}),
              HasSubstr("1 entries for 4 layers"));
  EXPECT_THAT(GgufErrorOf(a + "attention.sliding_window_pattern", std::nullopt),
              HasSubstr("sliding_window_pattern` is missing"));
}

}  // namespace
}  // namespace jikji
