#include "adapt/train/model_options.h"

#include <algorithm>

namespace jikji::train {

int64_t FirstTrainedRow(const TensorNeed& need, const DecoderSpec& spec,
                        const ModelOptions& options) {
  if (options.stage == Stage::kAll) return 0;
  const bool head =
      need.role == TensorRole::kHead || (need.role == TensorRole::kEmbedding && spec.tied_head);
  if (!head && need.role != TensorRole::kEmbedding) return need.shape[0];
  if (head && options.stage == Stage::kHead) return 0;
  return std::min(options.old_vocab, need.shape[0]);
}

}  // namespace jikji::train
