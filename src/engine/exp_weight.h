// exp of what is not positive, written so that compilers turn loops over it into vector code.
//
// Same bits on every machine, which libm's does not promise. Relative error below 3e-7
// (exp_weight_test.cc); 0 below −87, where float's normal range ends.
#ifndef JIKJI_ENGINE_EXP_WEIGHT_H_
#define JIKJI_ENGINE_EXP_WEIGHT_H_

#include <bit>
#include <cstdint>

namespace jikji {

inline float ExpWeight(float x) {
  constexpr int32_t kLowest = std::bit_cast<int32_t>(87.0f);
  constexpr float kLog2E = 1.44269504f;
  // ln 2 in two parts; the first has few bits, so that its multiples are exact.
  constexpr float kLn2High = 0.693359375f;
  constexpr float kLn2Low = -2.12194440e-4f;
  // Masks, since a branch or a comparison of floats would keep the loop scalar.
  const int32_t magnitude = std::bit_cast<int32_t>(x) & 0x7FFFFFFF;
  const int32_t keep = magnitude < kLowest ? -1 : 0;
  const float safe = -std::bit_cast<float>(magnitude & keep);
  // Truncation rounds to nearest here, as `safe` is not positive; then |r| ≤ ln 2 / 2.
  const auto n = static_cast<int32_t>(safe * kLog2E - 0.5f);
  const auto whole = static_cast<float>(n);
  const float r = (safe - whole * kLn2High) - whole * kLn2Low;
  // The Taylor polynomial of degree 7: its remainder is below 6e-9 on this range.
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const float power = std::bit_cast<float>(static_cast<uint32_t>(n + 127) << 23);
  return std::bit_cast<float>(std::bit_cast<int32_t>(p * power) & keep);
}

}  // namespace jikji

#endif  // JIKJI_ENGINE_EXP_WEIGHT_H_
