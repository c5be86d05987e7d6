// How much memory serving a model will take, told before anything is loaded.
#ifndef JIKJI_MODEL_MEMORY_PLAN_H_
#define JIKJI_MODEL_MEMORY_PLAN_H_

#include <cstdint>

#include "model/decoder_spec.h"
#include "tensor/checkpoint.h"

namespace jikji {

struct MemoryPlan {
  uint64_t parameters = 0;          // values of the tensors in use, a tied head once
  uint64_t weight_bytes = 0;        // of the same, as they are multiplied
  uint64_t kv_bytes_per_token = 0;  // over all layers
  uint64_t kv_bytes = 0;            // of all pages
  uint64_t activation_bytes = 0;    // of one step of step_tokens
  uint64_t logit_bytes = 0;         // of one row for each sequence
  uint64_t total() const { return weight_bytes + kv_bytes + activation_bytes + logit_bytes; }
};

struct MemoryUse {
  DType kv_dtype = DType::kF16;
  int64_t kv_tokens = 0;      // positions that all pages hold together
  int64_t step_tokens = 0;    // rows of the largest step
  int64_t max_sequences = 1;  // rows of logits in a step
};

// `use` must hold no negative number. Numbers that overflow are the largest there is.
MemoryPlan PlanMemory(const Checkpoint& checkpoint, const DecoderSpec& spec, const MemoryUse& use);

}  // namespace jikji

#endif  // JIKJI_MODEL_MEMORY_PLAN_H_
