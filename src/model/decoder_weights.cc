#include "model/decoder_weights.h"

#include <utility>

#include "model/layer_parts.h"
#include "model/weight_sources.h"

namespace jikji {

Result<DecoderWeights> LoadWeights(const Checkpoint& checkpoint, const DecoderSpec& spec,
                                   const std::function<void(double)>& progress) {
  JIKJI_ASSIGN(const std::vector<WeightSource> sources, FindWeights(checkpoint, spec));
  uint64_t total = 0, done = 0;
  for (const WeightSource& source : sources) total += source.tensor->data.size();
  DecoderWeights out;
  out.layers.resize(spec.layers.size());
  kernels::WeightMemory memory;
  ThreadPool pool(UsableCores());
  for (const WeightSource& source : sources) {
    if (source.is_vector()) {
      JIKJI_ASSIGN(*VectorFor(out, source.need), ReadVector(source));
    } else {
      JIKJI_ASSIGN(*MatrixFor(out, source.need),
                   kernels::WeightMatrix::Prepare(*source.tensor, memory, pool, source.row_order));
      checkpoint.Release(*source.tensor);
    }
    done += source.tensor->data.size();
    if (progress) progress(static_cast<double>(done) / static_cast<double>(total));
  }
  if (spec.tied_head) out.head = out.embedding;
  return out;
}

}  // namespace jikji
