#include "engine/token_rank.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <limits>

namespace jikji {
namespace {

// Independent lanes let the compiler use vectors where it may not reorder a float reduction.
constexpr size_t kLanes = 16;

float MaxOf(std::span<const float> values) {
  std::array<float, kLanes> best;
  best.fill(-std::numeric_limits<float>::infinity());
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      best[lane] = values[i + lane] > best[lane] ? values[i + lane] : best[lane];
    }
  }
  for (; i < values.size(); ++i) best[0] = std::max(best[0], values[i]);
  return *std::max_element(best.begin(), best.end());
}

}  // namespace

bool AllFinite(std::span<const float> logits) {
  constexpr uint32_t kExponent = 0x7F800000;
  uint32_t bad = 0;
  for (const float value : logits) {
    bad |= (std::bit_cast<uint32_t>(value) & kExponent) == kExponent ? 1u : 0u;
  }
  return bad == 0;
}

void BlockMaxima::Scan(std::span<const float> logits) {
  logits_ = logits;
  maxima_.resize((logits.size() + kBlock - 1) / kBlock);
  for (size_t block = 0; block < maxima_.size(); ++block) {
    const size_t begin = block * kBlock;
    maxima_[block] = MaxOf(logits.subspan(begin, std::min(kBlock, logits.size() - begin)));
  }
}

RankedToken BlockMaxima::Top() const {
  const auto block = std::max_element(maxima_.begin(), maxima_.end());  // the first of equals
  auto id = static_cast<size_t>(block - maxima_.begin()) * kBlock;
  while (logits_[id] != *block) ++id;
  return {logits_[id], static_cast<TokenId>(id)};
}

void BlockMaxima::TopK(size_t k, std::vector<RankedToken>& out) {
  k = std::min(k, logits_.size());
  float floor = -std::numeric_limits<float>::infinity();
  if (k == 0) {
    out.clear();
    return;
  }
  if (k <= maxima_.size()) {
    // k blocks reach this value, so at least k logits do.
    order_ = maxima_;
    std::nth_element(order_.begin(), order_.begin() + static_cast<ptrdiff_t>(k - 1), order_.end(),
                     std::greater<>());
    floor = order_[k - 1];
  }
  AtLeast(floor, out);
  if (k < out.size()) {
    std::nth_element(out.begin(), out.begin() + static_cast<ptrdiff_t>(k - 1), out.end(),
                     RanksBefore);
    out.resize(k);
  }
  std::sort(out.begin(), out.end(), RanksBefore);
}

void BlockMaxima::AtLeast(float floor, std::vector<RankedToken>& out) const {
  out.clear();
  for (size_t block = 0; block < maxima_.size(); ++block) {
    if (maxima_[block] < floor) continue;
    const size_t end = std::min((block + 1) * kBlock, logits_.size());
    for (size_t id = block * kBlock; id < end; ++id) {
      if (logits_[id] >= floor) out.push_back({logits_[id], static_cast<TokenId>(id)});
    }
  }
}

}  // namespace jikji
