// The tiny models of tests/goldens/models for tests: their weights made anew from their formula,
// written as checkpoints of either format, and what transformers answered.
#ifndef JIKJI_MODEL_GOLDEN_MODELS_H_
#define JIKJI_MODEL_GOLDEN_MODELS_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "model/decoder.h"
#include "model/kv_cache.h"
#include "tensor/gguf_metadata.h"
#include "tensor/tensor.h"

namespace jikji {

struct GoldenTensor {
  std::string name, gguf_name;
  std::vector<int64_t> shape;
  int exponent = 0;  // weights are offset + [-1, 1) · 2^exponent
  int offset = 0;
  std::vector<float> values;
};

struct GoldenModel {
  std::string name;
  std::string config;  // config.json
  GgufMetadata gguf;   // empty where llama.cpp knows no such model
  std::vector<GoldenTensor> tensors;
  std::vector<float> rope_freqs;  // GGUF's `rope_freqs.weight`; may be empty
  std::vector<int32_t> prompt, greedy;
  double gap = 0;             // the least lead of a greedy token
  std::vector<float> logits;  // [rows, vocab] as transformers has them
  std::vector<int32_t> rows;  // of the prompt, whose logits they are
};

// All of models.json; read once. An empty list, with a failed assertion, where it cannot be read.
const std::vector<GoldenModel>& GoldenModels();
const GoldenModel& GoldenNamed(std::string_view name);
// What transformers answers for models/jikji-mini-ko.
const GoldenModel& GoldenBuiltIn();

// Gives every tensor the values that the formula gives to its name, shape and model.
void FillWeights(GoldenModel& model);

// Which type each tensor is written as.
using TypeOf = std::function<DType(const GoldenTensor&)>;
TypeOf AllAs(DType dtype);
// Matrices of that type, vectors as F32: what llama.cpp writes.
TypeOf MatricesAs(DType dtype);

// The values as they lie in a file; their count is a multiple of the type's block.
std::vector<std::byte> PackValues(std::span<const float> values, DType dtype);

// A temporary folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// config.json and safetensors in so many shards.
Result<> WriteFolder(const GoldenModel& model, const std::filesystem::path& folder,
                     const TypeOf& type, int shards = 1);
// GGUF with queries and keys as its architecture keeps them. `keys`, if given, are written instead
// of the model's own.
Result<> WriteGguf(const GoldenModel& model, const std::filesystem::path& file, const TypeOf& type,
                   const GgufMetadata* keys = nullptr);

// Opens a folder with config.json or a GGUF file, without a tokenizer.
Result<std::unique_ptr<Decoder>> LoadDecoder(const std::filesystem::path& path);

// One sequence in a cache of its own: pages in order, F32 unless told otherwise.
class Sequence {
 public:
  Sequence(Decoder& decoder, int32_t capacity, DType dtype = DType::kF32);
  // Logits of the rows asked for (of `tokens`), [rows, vocab].
  std::vector<float> Run(std::span<const int32_t> tokens, std::span<const int32_t> rows);
  // `count` tokens, each the most likely after the ones before; the prompt is run first.
  std::vector<int32_t> Greedy(std::span<const int32_t> prompt, size_t count);

 private:
  Decoder& decoder_;
  ThreadPool pool_{1};
  std::vector<int32_t> pages_;
  KvCache cache_;
  int32_t length_ = 0;
};

// max |a - b| over max |b|.
double RelativeError(std::span<const float> a, std::span<const float> b);

}  // namespace jikji

#endif  // JIKJI_MODEL_GOLDEN_MODELS_H_
