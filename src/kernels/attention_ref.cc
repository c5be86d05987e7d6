#include "kernels/attention_ref.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tensor/quant/half.h"

namespace jikji::kernels {
namespace {

double CacheValue(const KvPages& pages, const std::byte* plane, std::span<const int32_t> table,
                  int32_t kv_head, int32_t position, int32_t d) {
  const int64_t page = table[static_cast<size_t>(position / pages.page_tokens)];
  const int64_t slot =
      (page * pages.kv_heads + kv_head) * pages.page_tokens + position % pages.page_tokens;
  const int64_t index = slot * pages.head_dim + d;
  if (pages.dtype == DType::kF32) {
    float value;
    std::memcpy(&value, plane + index * 4, sizeof value);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, plane + index * 2, sizeof bits);
  return F16ToF32(bits);
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
        double magnitude = 0.0;
        for (int32_t p = first; p <= last; ++p) {
          double score = 0.0, absolute = 0.0;
          for (int32_t d = 0; d < dim; ++d) {
            const double term = static_cast<double>(scale) * q[at + d] *
                                CacheValue(pages, pages.keys, slice.pages, kv_head, p, d);
            score += term;
            absolute += std::abs(term);
          }
          scores.push_back(score);
          magnitude = std::max(magnitude, absolute);
        }
        const double top = *std::max_element(scores.begin(), scores.end());
        double total = 0.0;
        for (double& score : scores) total += score = std::exp(score - top);
        for (int32_t d = 0; d < dim; ++d) {
          AttentionReference& result = out[static_cast<size_t>(at + d)];
          for (int32_t p = first; p <= last; ++p) {
            const double term = scores[static_cast<size_t>(p - first)] / total *
                                CacheValue(pages, pages.values, slice.pages, kv_head, p, d);
            result.value += term;
            result.magnitude += std::abs(term);
          }
          result.score_magnitude = magnitude;
          result.positions = last - first + 1;
        }
      }
    }
  }
  return out;
}

double AttentionTolerance(const AttentionReference& reference, int32_t head_dim) {
  const double score = (head_dim / 4.0 + 7) * reference.score_magnitude;
  const double blocks = reference.positions / 256.0 + 1;
  const double weight = 2 * (score + 88 + 4 * blocks) + 2 * reference.positions;
  return weight * 0x1p-24 * reference.magnitude;
}

}  // namespace jikji::kernels
