#include "adapt/convert/tensor_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "model/families/family.h"

namespace jikji {
namespace {

bool IsRotated(TensorRole role) {
  using enum TensorRole;
  return role == kQuery || role == kKey || role == kQueryBias || role == kKeyBias;
}

// Which source row becomes each row, where GGUF keeps a head's rows as pairs to be rotated.
std::vector<int32_t> RotatedOrder(int64_t rows, int64_t head_dim, bool to_pairs) {
  std::vector<int32_t> order(static_cast<size_t>(rows));
  const int64_t half = head_dim / 2;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t head = row / head_dim, at = row % head_dim;
    const int64_t in_halves = head * head_dim + at % 2 * half + at / 2;
    const int64_t in_pairs = head * head_dim + 2 * (at % half) + at / half;
    order[static_cast<size_t>(row)] = static_cast<int32_t>(to_pairs ? in_halves : in_pairs);
  }
  return order;
}

// Tables that are computed, and a second copy of a tied head.
bool IsLeftOut(std::string_view name, const DecoderSpec& spec) {
  return name.ends_with("rotary_emb.inv_freq") || name == "rope_freqs.weight" ||
         (spec.tied_head && (name == "lm_head.weight" || name == "output.weight"));
}

}  // namespace

Result<std::vector<PlannedTensor>> PlanTensors(
    const Checkpoint& from, const DecoderSpec& spec, CheckpointFormat to,
    const std::function<DType(const TensorView&)>& type_of) {
  const Family* family = FamilyNamed(spec.family);
  if (family == nullptr) {
    return Fail(ErrorCode::kInternal, fmt::format("no family `{}`", spec.family));
  }
  std::vector<PlannedTensor> plan;
  std::set<std::string> used;
  for (const TensorNeed& need : TensorsOf(spec)) {
    const std::string name = TensorName(*family, from.format(), need.role, need.layer);
    const TensorView* tensor = from.Find(name);
    if (tensor == nullptr || tensor->shape != need.shape) {
      return Fail(
          ErrorCode::kMalformed,
          fmt::format("`{}` {}; the configuration makes it [{}]", name,
                      tensor == nullptr ? "is missing"
                                        : fmt::format("is [{}]", fmt::join(tensor->shape, ", ")),
                      fmt::join(need.shape, ", ")),
          from.path().string());
    }
    used.insert(name);
    PlannedTensor planned;
    planned.spec = {TensorName(*family, to, need.role, need.layer), type_of(*tensor), need.shape};
    planned.source = *tensor;
    if (family->interleaved_in_gguf && to != from.format() && IsRotated(need.role)) {
      planned.row_order = RotatedOrder(need.shape[0], spec.head_dim, to == CheckpointFormat::kGguf);
      // A bias is rotated value by value.
      if (need.shape.size() == 1) planned.source.shape = {need.shape[0], 1};
    }
    plan.push_back(std::move(planned));
  }
  for (const TensorView& tensor : from.tensors()) {
    if (!used.contains(tensor.name) && !IsLeftOut(tensor.name, spec)) {
      return Fail(ErrorCode::kUnsupported,
                  fmt::format("`{}` has no place in a {} model as its configuration describes it",
                              tensor.name, spec.family),
                  from.path().string());
    }
  }
  return plan;
}

}  // namespace jikji
