// Random numbers by counter: which number comes depends on the seed, the choice and the position
// alone (promise 1), not on what was drawn before or by whom.
//
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
#ifndef JIKJI_ENGINE_RANDOM_STREAM_H_
#define JIKJI_ENGINE_RANDOM_STREAM_H_

#include <array>
#include <cstdint>

namespace jikji {

// The block cipher itself: ten rounds over a 128-bit counter with a 64-bit key.
std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// 64 bits: the number for output token `position` of `choice`.
uint64_t RandomAt(uint64_t seed, int32_t choice, int64_t position);

}  // namespace jikji

#endif  // JIKJI_ENGINE_RANDOM_STREAM_H_
