// How much memory a run will take, told before it starts.
#ifndef JIKJI_ADAPT_TRAIN_MEMORY_PLAN_H_
#define JIKJI_ADAPT_TRAIN_MEMORY_PLAN_H_

#include <cstdint>

#include "adapt/train/model_options.h"
#include "model/decoder_spec.h"
#include "tensor/checkpoint.h"

namespace jikji::train {

struct MemoryPlan {
  uint64_t trained_values = 0;
  uint64_t trained_bytes = 0;     // with gradients and moments
  uint64_t frozen_bytes = 0;      // of the base, as it lies in its file or in fewer bits
  uint64_t activation_bytes = 0;  // of one batch
  uint64_t total() const { return trained_bytes + frozen_bytes + activation_bytes; }
};

// `checkpoint` may be nullptr for a new model.
MemoryPlan PlanMemory(const Checkpoint* checkpoint, const DecoderSpec& spec,
                      const ModelOptions& options, int64_t batch_rows, size_t threads);

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_MEMORY_PLAN_H_
