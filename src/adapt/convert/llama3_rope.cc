#include "adapt/convert/llama3_rope.h"

#include <algorithm>
#include <cmath>

#include "model/rope.h"

namespace jikji {

std::vector<float> Llama3Divisors(const RopeSpec& rope, int64_t head_dim) {
  RopeSpec plain;
  plain.theta = rope.theta;
  const RopeTable before = MakeRopeTable(plain, head_dim);
  const RopeTable after = MakeRopeTable(rope, head_dim);
  std::vector<float> divisors(before.inv_freq.size());
  for (size_t i = 0; i < divisors.size(); ++i) {
    divisors[i] = static_cast<float>(static_cast<double>(before.inv_freq[i]) / after.inv_freq[i]);
  }
  return divisors;
}

std::optional<RopeSpec> Llama3Parameters(const RopeSpec& with_divisors, int64_t head_dim) {
  // Each is rounded to f32 by whoever wrote it, after some operations in f32.
  constexpr double kTolerance = 1e-5;
  const std::vector<float>& wanted = with_divisors.divisors;
  if (wanted.empty()) return std::nullopt;
  RopeSpec rope = with_divisors;
  rope.divisors.clear();
  rope.scaling = RopeSpec::Scaling::kLlama3;
  rope.low_freq_factor = 1;
  rope.high_freq_factor = 4;
  // The longest waves are divided by the factor itself, which is a plain number.
  const double factor = *std::ranges::max_element(wanted);
  rope.factor = std::abs(factor - std::round(factor)) < 1e-4 ? std::round(factor) : factor;
  constexpr int64_t kLeast = 1 << 4, kMost = 1 << 20;
  for (rope.original_max_position = kMost; rope.original_max_position >= kLeast;
       rope.original_max_position /= 2) {
    const std::vector<float> divisors = Llama3Divisors(rope, head_dim);
    const bool same = std::ranges::equal(
        divisors, wanted, [](double a, double b) { return std::abs(a - b) <= kTolerance * b; });
    if (same) return rope;
  }
  return std::nullopt;
}

}  // namespace jikji
