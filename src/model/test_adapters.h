// For tests: adapters of any decoder, written as PEFT has them, with values by a formula
// (tests/goldens/models/make.py's `weights`), so that a script can make the same.
#ifndef JIKJI_MODEL_TEST_ADAPTERS_H_
#define JIKJI_MODEL_TEST_ADAPTERS_H_

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "model/families/family.h"
#include "model/peft_adapter.h"
#include "tensor/file_layout.h"
#include "tensor/file_writer.h"

namespace jikji {

struct TestAdapter {
  std::string seed = {};  // the name of a model, in the goldens
  int64_t rank = 4;
  double alpha = 12;
  bool dora = false;
  int exponent = -2;  // values are [-1, 1) · 2^exponent; magnitudes as much about 1
  std::vector<TensorRole> targets = {TensorRole::kQuery,  TensorRole::kKey,  TensorRole::kValue,
                                     TensorRole::kOutput, TensorRole::kGate, TensorRole::kUp,
                                     TensorRole::kDown};
  int64_t vocab = 0;  // of an embedding and a head of its own; 0: it has none
};

inline uint64_t TestHash(std::string_view text) {  // FNV-1a
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

inline std::vector<float> TestValues(uint64_t seed, int64_t count, float offset, float scale) {
  std::vector<float> values;
  for (int64_t i = 1; i <= count; ++i) {
    uint64_t z = seed + static_cast<uint64_t>(i) * 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    values.push_back(
        offset + scale * static_cast<float>(static_cast<int64_t>(z >> 40) - (1 << 23)) / (1 << 23));
  }
  return values;
}

// `config`, if given, is written instead of the adapter's own.
inline Result<> WriteTestAdapter(const TestAdapter& adapter, const DecoderSpec& base,
                                 const std::filesystem::path& folder,
                                 std::string_view config = {}) {
  std::vector<TensorSpec> specs;
  std::vector<std::vector<float>> values;
  const float scale = std::ldexp(1.0f, adapter.exponent);
  for (const TensorNeed& need : TensorsOf(base)) {
    if (std::ranges::find(adapter.targets, need.role) == adapter.targets.end()) continue;
    std::string name = TensorName(*FamilyNamed(base.family), CheckpointFormat::kHuggingFace,
                                  need.role, need.layer);
    const auto add = [&](const char* part, std::vector<int64_t> shape, float offset) {
      const std::string whole = PeftTensorName(name, part);
      const std::string seeded = whole.substr(std::string_view("base_model.model.").size());
      const int64_t count = shape.size() == 1 ? shape[0] : shape[0] * shape[1];
      values.push_back(TestValues(TestHash(seeded) ^ TestHash(adapter.seed), count, offset, scale));
      specs.push_back({whole, DType::kF32, std::move(shape)});
    };
    add("lora_A.weight", {adapter.rank, need.shape[1]}, 0);
    add("lora_B.weight", {need.shape[0], adapter.rank}, 0);
    if (adapter.dora) add("lora_magnitude_vector", {need.shape[0]}, 1);
  }
  for (const TensorRole role : {TensorRole::kEmbedding, TensorRole::kHead}) {
    if (adapter.vocab == 0) break;
    const std::string name =
        TensorName(*FamilyNamed(base.family), CheckpointFormat::kHuggingFace, role, -1);
    const std::string whole = PeftTensorName(name, "weight");
    values.push_back(TestValues(TestHash(whole) ^ TestHash(adapter.seed),
                                adapter.vocab * base.hidden, 0, scale));
    specs.push_back({whole, DType::kF32, {adapter.vocab, base.hidden}});
  }
  std::filesystem::create_directories(folder);
  const std::string own = fmt::format(
      R"({{"peft_type": "LORA", "r": {}, "lora_alpha": {}, "use_dora": {}, "bias": "none",
           "target_modules": ["q_proj"], "modules_to_save": null, "rank_pattern": {{}}}})",
      adapter.rank, adapter.alpha, adapter.dora);
  JIKJI_RETURN_IF_ERROR(
      WriteFileAtomic(folder / "adapter_config.json", config.empty() ? own : config));
  JIKJI_ASSIGN(FileLayout layout, LayoutSafetensors({{"format", "pt"}}, specs));
  JIKJI_ASSIGN(TensorFileWriter writer,
               TensorFileWriter::Create(folder / "adapter_model.safetensors", std::move(layout)));
  for (size_t i = 0; i < values.size(); ++i) {
    JIKJI_RETURN_IF_ERROR(writer.Append(i, std::as_bytes(std::span(values[i]))));
  }
  return writer.Finish();
}

}  // namespace jikji

#endif  // JIKJI_MODEL_TEST_ADAPTERS_H_
