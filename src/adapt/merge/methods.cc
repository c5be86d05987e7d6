#include "adapt/merge/methods.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace jikji {
namespace {

// Divisors nearer to zero than this are taken as 1, as mergekit has it.
constexpr double kLeastDivisor = 1e-8;

double Norm(std::span<const float> x) {
  double sum = 0;
  for (const float value : x) sum += static_cast<double>(value) * value;
  return std::sqrt(sum);
}

uint64_t SplitMix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ x >> 27) * 0x94D049BB133111EBull;
  return x ^ x >> 31;
}

// Sets all but the largest `density` share to zero; of equal magnitudes the first stay.
void KeepLargest(std::vector<float>& delta, double density) {
  if (density >= 1) return;
  const auto kept = static_cast<size_t>(density * static_cast<double>(delta.size()));
  std::vector<uint32_t> order(delta.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto larger = [&](uint32_t a, uint32_t b) {
    const float x = std::abs(delta[a]), y = std::abs(delta[b]);
    return x != y ? x > y : a < b;
  };
  std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                   larger);
  for (size_t i = kept; i < order.size(); ++i) delta[order[i]] = 0;
}

void KeepRandom(std::vector<float>& delta, double density, uint64_t seed) {
  if (density >= 1) return;
  for (size_t i = 0; i < delta.size(); ++i) {
    delta[i] = IsKeptAtRandom(seed, i, density)
                   ? static_cast<float>(static_cast<double>(delta[i]) / density)
                   : 0.0f;
  }
}

}  // namespace

bool IsKeptAtRandom(uint64_t seed, uint64_t index, double density) {
  const uint64_t bits = SplitMix64(SplitMix64(seed) + index);
  return static_cast<double>(bits >> 11) * 0x1p-53 < density;
}

std::vector<float> MergeLinear(std::span<const std::vector<float>> x,
                               std::span<const double> weights, bool normalize) {
  double total = 0;
  for (const double weight : weights) total += weight;
  const double divisor = normalize && std::abs(total) >= kLeastDivisor ? total : 1.0;
  std::vector<float> out(x[0].size());
  for (size_t i = 0; i < out.size(); ++i) {
    double sum = 0;
    for (size_t m = 0; m < x.size(); ++m) sum += weights[m] * static_cast<double>(x[m][i]);
    out[i] = static_cast<float>(sum / divisor);
  }
  return out;
}

std::vector<float> MergeSlerp(std::span<const float> a, std::span<const float> b, double t) {
  constexpr double kNearlyParallel = 0.9995;
  const double norm_a = Norm(a), norm_b = Norm(b);
  double dot = 0;
  for (size_t i = 0; i < a.size(); ++i) dot += static_cast<double>(a[i]) * b[i];
  double of_a = 1 - t, of_b = t;
  if (norm_a > kLeastDivisor && norm_b > kLeastDivisor) {
    dot /= norm_a * norm_b;
    if (std::abs(dot) <= kNearlyParallel) {
      const double angle = std::acos(dot);
      of_a = std::sin(angle * (1 - t)) / std::sin(angle);
      of_b = std::sin(angle * t) / std::sin(angle);
    }
  }
  std::vector<float> out(a.size());
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(of_a * a[i] + of_b * b[i]);
  return out;
}

std::vector<float> MergeDifferences(std::span<const float> base,
                                    std::span<const std::vector<float>> x,
                                    std::span<const Difference> parts, const DifferenceMerge& how) {
  std::vector<std::vector<float>> deltas(x.begin(), x.end());
  for (size_t m = 0; m < deltas.size(); ++m) {
    for (size_t i = 0; i < base.size(); ++i) deltas[m][i] -= base[i];
    if (how.keep == DifferenceMerge::Keep::kLargest) KeepLargest(deltas[m], parts[m].density);
    if (how.keep == DifferenceMerge::Keep::kRandom) {
      KeepRandom(deltas[m], parts[m].density, how.seed + m);
    }
  }
  std::vector<float> out(base.size());
  for (size_t i = 0; i < base.size(); ++i) {
    double way = 0;
    for (size_t m = 0; m < deltas.size(); ++m) way += parts[m].weight * deltas[m][i];
    double sum = 0, weights = 0;
    for (size_t m = 0; m < deltas.size(); ++m) {
      const double step = parts[m].weight * deltas[m][i];
      // A sum of zero points upwards; a difference of zero points nowhere.
      if (how.elect_signs && !(way >= 0 ? step > 0 : step < 0)) continue;
      sum += step;
      weights += parts[m].weight;
    }
    if (how.normalize && std::abs(weights) >= kLeastDivisor) sum /= weights;
    out[i] = static_cast<float>(base[i] + how.lambda * sum);
  }
  return out;
}

}  // namespace jikji
