// How a token is chosen from a row of logits: the arithmetic, which the processor's sampler
// (engine/sampler.h) and the device's (gpu/choose.h) share, so that they choose the same token.
//
// Weights are whole numbers: their sums are the same in any order, on any machine, by any number of
// threads. A token of less than 2^-42 of the likeliest one's weight has none.
#ifndef JIKJI_KERNELS_TOKEN_CHOICE_H_
#define JIKJI_KERNELS_TOKEN_CHOICE_H_

#include <cstdint>

#include "device/kernel.h"

namespace jikji::kernels {

// What changes one token's logit before any is chosen: in this order.
struct LogitAdjustment {
  int32_t token = 0;
  int32_t masked = 0;    // 1: it cannot be chosen
  float bias = 0;        // added
  int32_t repeated = 0;  // 1: the row's repetition penalty is its
  float penalty = 0;     // taken off
};

// How a row's token is chosen: temperature, then what is kept, then a draw from that.
struct ChoiceParams {
  uint64_t random = 0;            // uniform
  double top_p = 1;               // 1: off
  float inverse_temperature = 0;  // 0: the first in rank
  // Kept are logits from `largest + floor` on; −infinity: all.
  float floor = -__builtin_huge_valf();
  int32_t top_k = 0;  // 0: off
  float repetition = 1;
};

inline constexpr int64_t kMostChoiceVocab = 1 << 21;  // so that sums of weights stay below 2^63

JIKJI_DEVICE float AdjustedLogit(float logit, const LogitAdjustment& by, float repetition) {
  if (by.masked != 0) logit = -__builtin_huge_valf();
  logit += by.bias;
  if (by.repeated != 0) logit = logit > 0 ? logit / repetition : logit * repetition;
  return logit - by.penalty;
}

// A token's rank as a number, the first in rank highest: by logit, then by id, lowest first. No
// token's is 0.
JIKJI_DEVICE uint64_t RankKey(float logit, int32_t id) {
  const auto bits = __builtin_bit_cast(uint32_t, logit + 0.0f);  // zeros are equal
  const uint32_t key = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  return uint64_t{key} << 32 | (0xFFFFFFFFu - static_cast<uint32_t>(id));
}
// Below every token's with this logit, above those with less.
JIKJI_DEVICE uint64_t RankFloor(float logit) { return RankKey(logit, -1); }
JIKJI_DEVICE int32_t RankedId(uint64_t key) {
  return static_cast<int32_t>(0xFFFFFFFFu - static_cast<uint32_t>(key));
}
JIKJI_DEVICE float RankedLogit(uint64_t key) {
  const auto high = static_cast<uint32_t>(key >> 32);
  return __builtin_bit_cast(float, (high & 0x80000000u) != 0 ? high & 0x7FFFFFFFu : ~high);
}

// exp of what is not positive, written so that compilers turn loops over it into vector code, with
// the same bits on every machine. Relative error below 3e-7; 0 below −87, where float's normal
// range ends.
JIKJI_DEVICE float ExpWeight(float x) {
  constexpr int32_t kLowest = 0x42AE0000;  // 87.0f
  constexpr float kLog2E = 1.44269504f;
  // ln 2 in two parts; the first has few bits, so that its multiples are exact.
  constexpr float kLn2High = 0.693359375f;
  constexpr float kLn2Low = -2.12194440e-4f;
  // Masks, since a branch or a comparison of floats would keep the loop scalar.
  const int32_t magnitude = __builtin_bit_cast(int32_t, x) & 0x7FFFFFFF;
  const int32_t keep = magnitude < kLowest ? -1 : 0;
  const float safe = -__builtin_bit_cast(float, magnitude& keep);
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
  const float power = __builtin_bit_cast(float, static_cast<uint32_t>(n + 127) << 23);
  return __builtin_bit_cast(float, __builtin_bit_cast(int32_t, p * power) & keep);
}

inline constexpr float kWeightOne = 0x1p42f;  // times ExpWeight: a weight

JIKJI_DEVICE uint64_t TokenWeight(float logit, float largest, float inverse_temperature) {
  const float weight = ExpWeight((logit - largest) * inverse_temperature) * kWeightOne;
  return static_cast<uint64_t>(static_cast<int64_t>(weight));
}

// The nucleus is the fewest tokens from the top whose weights add up to this: at least one's.
JIKJI_DEVICE uint64_t NucleusTarget(double top_p, uint64_t total) {
  const auto all = static_cast<double>(static_cast<int64_t>(total));
  const double target = top_p * all;
  if (target < 1) return 1;
  return target < all ? static_cast<uint64_t>(static_cast<int64_t>(target)) : total;
}

// The drawn token is the first by id at which the running sum of weights passes this: `total` times
// `random` / 2^64, rounded down.
JIKJI_DEVICE uint64_t DrawTarget(uint64_t random, uint64_t total) {
  const uint64_t a = random >> 32, b = random & 0xFFFFFFFFu;
  const uint64_t c = total >> 32, d = total & 0xFFFFFFFFu;
  const uint64_t middle = a * d + (b * d >> 32);
  return a * c + (middle >> 32) + (((middle & 0xFFFFFFFFu) + b * c) >> 32);
}

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_TOKEN_CHOICE_H_
