#include "kernels/attention_ref.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/attention_layout.h"
#include "tensor/quant/f8.h"
#include "tensor/quant/half.h"

namespace jikji::kernels {
namespace {

enum class Plane { kKeys, kValues };

double CacheValue(const KvPages& pages, Plane plane, std::span<const int32_t> table,
                  int32_t kv_head, int32_t position, int32_t d) {
  const KvLayout layout(pages);
  const bool keys = plane == Plane::kKeys;
  const int64_t page = table[static_cast<size_t>(position / pages.page_tokens)];
  const int64_t slot = position % pages.page_tokens;
  const std::byte* head = (keys ? pages.keys : pages.values) + layout.Head(pages, page, kv_head);
  const auto half = [](const std::byte* from) {
    uint16_t bits;
    std::memcpy(&bits, from, sizeof bits);
    return F16ToF32(bits);
  };
  if (pages.dtype == DType::kQ8_0) {
    const double scale = half(head + layout.Scale(d / kKvGroup, slot));
    if (keys) return scale * (std::to_integer<int>(head[layout.KeyOfQuad(d, slot)]) - kKeyBias);
    return scale * static_cast<int8_t>(head[layout.Value(d, slot)]);
  }
  const std::byte* from = head + (keys ? layout.Key(d, slot) : layout.Value(d, slot));
  if (pages.dtype == DType::kF8_E4M3) {
    return static_cast<double>(half(head + layout.Scale(0, slot))) *
           F8ToF32(std::to_integer<uint8_t>(*from));
  }
  if (pages.dtype == DType::kF16) return half(from);
  float value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// What a query of whole numbers may be off by: half a step of its group, for Q8_0 keys.
double HalfStep(const KvPages& pages, const float* q, float scale, int32_t d) {
  if (pages.dtype != DType::kQ8_0) return 0.0;
  double most = 0.0;
  for (int32_t i = d / kKvGroup * kKvGroup; i < (d / kKvGroup + 1) * kKvGroup; ++i) {
    most = std::max(most, std::abs(static_cast<double>(scale) * q[i]));
  }
  return most / (2 * kQueryMost);
}

}  // namespace

std::vector<AttentionReference> AttentionRef(const KvPages& pages,
                                             std::span<const AttentionSlice> slices, const float* q,
                                             int32_t heads, float scale, int32_t window) {
  int64_t rows = 0;
  for (const AttentionSlice& slice : slices) {
    rows = std::max<int64_t>(rows, slice.first_row + slice.tokens);
  }
  const int32_t dim = pages.head_dim;
  std::vector<AttentionReference> out(static_cast<size_t>(rows * heads * dim));
  for (const AttentionSlice& slice : slices) {
    for (int32_t t = 0; t < slice.tokens; ++t) {
      const int32_t last = slice.start + t;
      const int32_t first = window > 0 ? std::max(0, last - window + 1) : 0;
      for (int32_t h = 0; h < heads; ++h) {
        const int32_t kv_head = h / (heads / pages.kv_heads);
        const int64_t at = (int64_t{slice.first_row + t} * heads + h) * dim;
        std::vector<double> scores;
        std::vector<double> half_steps;
        for (int32_t d = 0; d < dim; ++d) half_steps.push_back(HalfStep(pages, q + at, scale, d));
        double magnitude = 0.0, query_loss = 0.0;
        for (int32_t p = first; p <= last; ++p) {
          double score = 0.0, absolute = 0.0, lost = 0.0;
          for (int32_t d = 0; d < dim; ++d) {
            const double term = static_cast<double>(scale) * q[at + d] *
                                CacheValue(pages, Plane::kKeys, slice.pages, kv_head, p, d);
            score += term;
            absolute += std::abs(term);
            lost += half_steps[static_cast<size_t>(d)] *
                    std::abs(CacheValue(pages, Plane::kKeys, slice.pages, kv_head, p, d));
          }
          scores.push_back(score);
          magnitude = std::max(magnitude, absolute);
          query_loss = std::max(query_loss, lost);
        }
        const double top = *std::max_element(scores.begin(), scores.end());
        double total = 0.0;
        for (double& score : scores) total += score = std::exp(score - top);
        for (int32_t d = 0; d < dim; ++d) {
          AttentionReference& result = out[static_cast<size_t>(at + d)];
          for (int32_t p = first; p <= last; ++p) {
            const double term = scores[static_cast<size_t>(p - first)] / total *
                                CacheValue(pages, Plane::kValues, slice.pages, kv_head, p, d);
            result.value += term;
            result.magnitude += std::abs(term);
          }
          result.score_magnitude = magnitude;
          result.query_loss = query_loss;
          result.positions = last - first + 1;
        }
      }
    }
  }
  return out;
}

double AttentionTolerance(const AttentionReference& reference, int32_t head_dim) {
  constexpr double kUnit = 0x1p-24;
  const double score =
      (head_dim + 4) * kUnit * reference.score_magnitude + (1 + 0x1p-8) * reference.query_loss;
  const double blocks = reference.positions / 256.0 + 1;
  const double weight = 2 * (score + (89 + 4 * blocks) * kUnit) + 2 * reference.positions * kUnit;
  return weight * reference.magnitude;
}

}  // namespace jikji::kernels
