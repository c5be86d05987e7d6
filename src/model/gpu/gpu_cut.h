// Which part of a model a device has, of several that compute it together: its ranks.
//
// Every matrix is cut by its rows, so that each sum of a product is one kernel's, and the bits are
// those of one device: queries, keys and values by heads, all others by whole tiles of 16 rows.
// The embedding, norms and the biases that are added to gathered sums are on every rank.
#ifndef JIKJI_MODEL_GPU_GPU_CUT_H_
#define JIKJI_MODEL_GPU_GPU_CUT_H_

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/error.h"
#include "model/decoder_spec.h"
#include "model/weight_sources.h"

namespace jikji {

struct GpuCut {
  int32_t rank = 0;
  int32_t ranks = 1;

  bool whole() const { return ranks == 1; }

  struct Rows {
    int64_t first = 0, count = 0;
  };
  // Of `rows` that are cut by tiles: the first ranks have Part, the last ones what is left, which
  // may be none.
  int64_t Part(int64_t rows) const;
  Rows OfTiles(int64_t rows) const;
  // Of a tensor, as its role says.
  Rows Of(TensorRole role, int64_t rows) const;
};

// kUnsupported where the heads cannot be shared out: says what numbers of devices would do.
Result<> CheckCut(const DecoderSpec& spec, const GpuCut& cut);

// What one rank computes: its heads, its KV heads, and Part of the MLP's width.
DecoderSpec SpecOf(const DecoderSpec& spec, const GpuCut& cut);

// The rows of a checkpoint's tensors that one rank reads.
class CutWeights {
 public:
  CutWeights(std::vector<WeightSource> whole, const GpuCut& cut);
  CutWeights(const CutWeights&) = delete;
  CutWeights& operator=(const CutWeights&) = delete;

  std::span<const WeightSource> sources() const { return sources_; }

 private:
  std::deque<TensorView> views_;
  std::vector<WeightSource> sources_;
};

}  // namespace jikji

#endif  // JIKJI_MODEL_GPU_GPU_CUT_H_
