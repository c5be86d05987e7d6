#include "measure/step_cost.h"

#include <algorithm>
#include <utility>

#include "model/families/family.h"
#include "model/tensor_roles.h"

namespace jikji::measure {
namespace {

// Positions that a token at `position` attends to.
int64_t Attended(int64_t position, int32_t window) {
  return window > 0 ? std::min<int64_t>(position + 1, window) : position + 1;
}

void AddWeights(const Checkpoint& checkpoint, const DecoderSpec& spec, int64_t rows,
                int64_t logit_rows, StepCost& cost) {
  const Family* family = FamilyNamed(spec.family);
  if (family == nullptr) return;
  for (const TensorNeed& need : TensorsOf(spec)) {
    const bool head =
        need.role == TensorRole::kHead || (need.role == TensorRole::kEmbedding && spec.tied_head);
    const int64_t times = head ? logit_rows : need.role == TensorRole::kEmbedding ? 0 : rows;
    const TensorView* tensor =
        checkpoint.Find(TensorName(*family, checkpoint.format(), need.role, need.layer));
    if (tensor == nullptr || need.shape.size() != 2 || times == 0) continue;
    cost.bytes += static_cast<double>(tensor->data.size());
    double& ops = IsQuantised(tensor->dtype)      ? cost.int8_ops
                  : tensor->dtype == DType::kBF16 ? cost.bf16_ops
                                                  : cost.f32_ops;
    ops += 2.0 * static_cast<double>(tensor->values()) * static_cast<double>(times);
  }
}

}  // namespace

StepCost CostOfStep(const Checkpoint& checkpoint, const DecoderSpec& spec, DType kv_dtype,
                    std::span<const StepSlice> slices) {
  StepCost cost;
  int64_t rows = 0;
  for (const StepSlice& slice : slices) rows += slice.tokens;
  AddWeights(checkpoint, spec, rows, static_cast<int64_t>(slices.size()), cost);
  const double row_bytes =
      static_cast<double>(spec.kv_heads) *
      static_cast<double>(RowBytes(kv_dtype, static_cast<uint64_t>(spec.head_dim)).value_or(0));
  for (const LayerSpec& layer : spec.layers) {
    for (const StepSlice& slice : slices) {
      const int64_t last = slice.start + slice.tokens - 1;
      const int64_t first = slice.start + 1 - Attended(slice.start, layer.window);
      cost.bytes += 2 * row_bytes * static_cast<double>(last + 1 - first);
      int64_t attended = 0;
      for (int64_t p = slice.start; p <= last; ++p) attended += Attended(p, layer.window);
      // Scores and weighted values: a multiply-add each for every value of a head.
      cost.f32_ops +=
          4.0 * static_cast<double>(spec.heads * spec.head_dim) * static_cast<double>(attended);
    }
  }
  return cost;
}

std::string_view LimitName(LimitKind kind) {
  switch (kind) {
    case LimitKind::kBandwidth:
      return "read bandwidth";
    case LimitKind::kInt8:
      return "int8 peak";
    case LimitKind::kBF16:
      return "bf16 peak";
    case LimitKind::kF32:
      return "f32 peak";
  }
  return "";
}

StepLimit LimitOf(const StepCost& cost, const MachineLimits& limits) {
  const double reading = cost.bytes / limits.read_bytes;
  const std::pair<double, LimitKind> computing[] = {
      {cost.int8_ops / limits.int8_ops, LimitKind::kInt8},
      {cost.bf16_ops / limits.bf16_ops, LimitKind::kBF16},
      {cost.f32_ops / limits.f32_ops, LimitKind::kF32}};
  double sum = 0;
  for (const auto& [seconds, kind] : computing) sum += seconds;
  if (reading >= sum) return {reading, LimitKind::kBandwidth};
  return {sum, std::ranges::max(computing).second};
}

}  // namespace jikji::measure
