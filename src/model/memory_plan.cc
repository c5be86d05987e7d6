#include "model/memory_plan.h"

#include <limits>

#include "kernels/weight_matrix.h"
#include "model/decoder_scratch.h"
#include "model/families/family.h"
#include "model/tensor_roles.h"

namespace jikji {
namespace {

uint64_t Times(uint64_t a, uint64_t b) {
  uint64_t product;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<uint64_t>::max() : product;
}

}  // namespace

MemoryPlan PlanMemory(const Checkpoint& checkpoint, const DecoderSpec& spec, const MemoryUse& use) {
  MemoryPlan plan;
  if (const Family* family = FamilyNamed(spec.family)) {
    for (const TensorNeed& need : TensorsOf(spec)) {
      const TensorView* tensor =
          checkpoint.Find(TensorName(*family, checkpoint.format(), need.role, need.layer));
      if (tensor == nullptr) continue;
      plan.parameters += static_cast<uint64_t>(tensor->values());
      plan.weight_bytes +=
          need.shape.size() == 1
              ? static_cast<uint64_t>(tensor->values()) * sizeof(float)
              : kernels::WeightMatrix::PackedBytes(tensor->dtype, tensor->rows(), tensor->cols());
    }
  }
  plan.kv_bytes_per_token = spec.KvBytesPerToken(use.kv_dtype);
  plan.kv_bytes = Times(plan.kv_bytes_per_token, static_cast<uint64_t>(use.kv_tokens));
  plan.activation_bytes =
      Times(DecoderScratch::Bytes(spec, 1), static_cast<uint64_t>(use.step_tokens));
  plan.logit_bytes = Times(static_cast<uint64_t>(spec.vocab) * sizeof(float),
                           static_cast<uint64_t>(use.max_sequences));
  return plan;
}

}  // namespace jikji
