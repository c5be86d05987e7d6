#include "adapt/train/memory_plan.h"

#include <algorithm>

#include "adapt/train/parameters.h"
#include "adapt/train/trainable_decoder.h"
#include "model/tensor_roles.h"

namespace jikji::train {

MemoryPlan PlanMemory(const Checkpoint* checkpoint, const DecoderSpec& spec,
                      const ModelOptions& options, int64_t batch_rows, size_t threads) {
  MemoryPlan plan;
  uint64_t matrices = 0;  // values of the layers' matrices
  for (const TensorNeed& need : TensorsOf(spec)) {
    uint64_t values = 1;
    for (const int64_t size : need.shape) values *= static_cast<uint64_t>(size);
    const bool matrix = need.layer >= 0 && need.shape.size() == 2;
    if (matrix) matrices += values;
    if (!options.lora) {
      const auto rows = static_cast<uint64_t>(need.shape[0]);
      plan.trained_values +=
          values / rows * (rows - static_cast<uint64_t>(FirstTrainedRow(need, spec, options)));
    } else if (matrix &&
               std::ranges::find(options.lora->targets, need.role) != options.lora->targets.end()) {
      plan.trained_values += static_cast<uint64_t>(options.lora->rank) *
                                 static_cast<uint64_t>(need.shape[0] + need.shape[1]) +
                             (options.lora->dora ? static_cast<uint64_t>(need.shape[0]) : 0);
    }
  }
  plan.trained_bytes = Parameters::Bytes(plan.trained_values);
  const bool freezes = options.lora || options.stage != Stage::kAll;
  if (freezes && checkpoint != nullptr) {
    plan.frozen_bytes = checkpoint->total_bytes();
    if (options.base_type) {
      // The layers' pages of the file are read once; what stays is the copy.
      plan.frozen_bytes -= std::min(plan.frozen_bytes, matrices * 2);
      plan.frozen_bytes +=
          matrices * BlockBytes(*options.base_type) / BlockValues(*options.base_type);
    }
  }
  plan.activation_bytes = TrainableDecoder::ActivationBytes(spec, options, batch_rows, threads);
  return plan;
}

}  // namespace jikji::train
