#include "model/weight_sources.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "model/families/family.h"

namespace jikji {
namespace {

// GGUF's `llama` architecture keeps each head's rows as pairs to be rotated, (0, half), (1, half +
// 1) and so on one after the other; we rotate halves. Which stored row becomes row i.
std::vector<int32_t> HalvesFromPairs(int64_t rows, int64_t head_dim) {
  std::vector<int32_t> order(static_cast<size_t>(rows));
  const int64_t half = head_dim / 2;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t head = row / head_dim, at = row % head_dim;
    order[static_cast<size_t>(row)] =
        static_cast<int32_t>(head * head_dim + 2 * (at % half) + at / half);
  }
  return order;
}

bool IsRotated(TensorRole role) {
  using enum TensorRole;
  return role == kQuery || role == kKey || role == kQueryBias || role == kKeyBias;
}

// Tensors that files carry and no decoder reads: tables that are computed, and a second copy of a
// tied head.
bool MayBeIgnored(std::string_view name, const DecoderSpec& spec) {
  return name.ends_with("rotary_emb.inv_freq") || name == "rope_freqs.weight" ||
         (spec.tied_head && (name == "lm_head.weight" || name == "output.weight"));
}

}  // namespace

Result<std::vector<WeightSource>> FindWeights(const Checkpoint& checkpoint,
                                              const DecoderSpec& spec) {
  const Family* family = FamilyNamed(spec.family);
  if (family == nullptr) {
    return Fail(ErrorCode::kUnsupported, fmt::format("no family `{}`", spec.family));
  }
  const std::string file = checkpoint.path().string();
  const bool pairs = family->interleaved_in_gguf && checkpoint.format() == CheckpointFormat::kGguf;
  std::vector<WeightSource> sources;
  std::set<std::string, std::less<>> used;
  for (TensorNeed& need : TensorsOf(spec)) {
    std::string name = TensorName(*family, checkpoint.format(), need.role, need.layer);
    const TensorView* tensor = checkpoint.Find(name);
    if (tensor == nullptr) {
      return Fail(ErrorCode::kMalformed,
                  fmt::format("no tensor `{}`, which a {} model of this configuration needs", name,
                              spec.family),
                  file);
    }
    if (tensor->shape != need.shape) {
      return Fail(ErrorCode::kMalformed,
                  fmt::format("`{}` is [{}]; the configuration makes it [{}]", name,
                              fmt::join(tensor->shape, ", "), fmt::join(need.shape, ", ")),
                  file);
    }
    used.insert(std::move(name));
    std::vector<int32_t> order;
    if (pairs && IsRotated(need.role)) order = HalvesFromPairs(need.shape[0], spec.head_dim);
    sources.push_back({std::move(need), tensor, std::move(order)});
  }
  for (const TensorView& tensor : checkpoint.tensors()) {
    if (!used.contains(tensor.name) && !MayBeIgnored(tensor.name, spec)) {
      return Fail(ErrorCode::kUnsupported,
                  fmt::format("`{}` has no place in a {} model as its configuration describes it",
                              tensor.name, spec.family),
                  file);
    }
  }
  return sources;
}

Result<std::vector<float>> ReadVector(const WeightSource& source) {
  JIKJI_ASSIGN(std::vector<float> values, UnpackTensor(*source.tensor));
  if (source.row_order.empty()) return values;
  std::vector<float> ordered;
  ordered.reserve(values.size());
  for (const int32_t from : source.row_order) {
    ordered.push_back(values[static_cast<size_t>(from)]);
  }
  return ordered;
}

}  // namespace jikji
