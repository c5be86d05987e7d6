// An adapter ready to be multiplied, and what it adds to the projections of a step.
//
// A step's rows may be of several adapters and of the base: the base's product is computed for all
// of them, then each adapter's for its own rows, y = gain · (W x + scale · B A x). Contract
// (promise 1): what is added to a row depends on that row and its adapter alone, bit for bit.
#ifndef JIKJI_MODEL_DECODER_ADAPTER_H_
#define JIKJI_MODEL_DECODER_ADAPTER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "kernels/weight_matrix.h"
#include "model/decoder_weights.h"
#include "model/peft_adapter.h"

namespace jikji {

// Of one projection. Where it is not adapted, `a` has no rows.
struct LowRank {
  kernels::WeightMatrix a;  // [rank, in]
  kernels::WeightMatrix b;  // [out, rank]
  std::vector<float> gain;  // [out]; empty without DoRA
};

struct LayerAdapter {
  LowRank query, key, value, output, gate, up, down;
};

struct DecoderAdapter {
  float scale = 1;
  std::vector<LayerAdapter> layers;
  kernels::WeightMatrix embedding, head;  // of its own; without rows: the base's

  // Copies what it needs of the file. DoRA's gains are of the base's rows as they are multiplied
  // with, which may be quantised.
  static Result<DecoderAdapter> Load(const PeftAdapter& adapter, const DecoderWeights& base);
};

// The rows of a step by adapter, and memory for their products.
class AdapterRows {
 public:
  // `of_rows` says which of `adapters` each row has; negative: none.
  void Set(std::span<const int32_t> of_rows,
           std::span<const std::unique_ptr<const DecoderAdapter>> adapters);

  // Projections of one layer that read the same rows, and y [rows, out], which holds the base's
  // product.
  struct Part {
    LowRank LayerAdapter::*projection = nullptr;
    float* y = nullptr;
  };
  // x: [rows, cols].
  void Add(size_t layer, std::span<const Part> parts, const float* x, int64_t cols,
           ThreadPool& pool);

 private:
  struct Group {
    const DecoderAdapter* adapter = nullptr;
    std::vector<int32_t> rows;  // ascending
  };
  void AddGroup(const Group& group, size_t layer, std::span<const Part> parts, const float* x,
                int64_t cols, ThreadPool& pool);

  std::vector<Group> groups_;
  std::vector<float> gathered_, product_;
  std::vector<std::vector<float>> low_;  // of each part
};

}  // namespace jikji

#endif  // JIKJI_MODEL_DECODER_ADAPTER_H_
