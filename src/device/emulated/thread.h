// kernel.h's functions on the emulated device: a thread is a fiber of a block (block.h). Include
// kernel.h instead.
//
// What the PTX ISA says of fragments (mma.m16n8k16, g = lane / 4, t = lane % 4) is said once, in
// MmaFragments (block.cc), and every matrix kernel is tested through it.
#ifndef JIKJI_DEVICE_EMULATED_THREAD_H_
#define JIKJI_DEVICE_EMULATED_THREAD_H_

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace jikji::device {

uint32_t ThreadX();
uint32_t BlockX();
uint32_t BlockY();
void SyncBlock();
// The value of the lane whose number differs in the bits of `lane_mask`.
uint32_t ShuffleXor(uint32_t value, uint32_t lane_mask);
inline float ShuffleXor(float value, uint32_t lane_mask) {
  return std::bit_cast<float>(ShuffleXor(std::bit_cast<uint32_t>(value), lane_mask));
}

// To a number in shared memory. Of whole numbers alone: their sum is the same in any order.
inline void AtomicAdd(uint64_t* to, uint64_t value) { *to += value; }

inline float Fma(float a, float b, float c) { return std::fma(a, b, c); }
inline double Fma(double a, double b, double c) { return std::fma(a, b, c); }
inline float Sqrt(float a) { return std::sqrt(a); }

// To f32; from f32, to the nearest, ties to even.
float F16Value(uint16_t bits);
Pair PackF16(float low, float high);
Pair PackBf16(float low, float high);
// Each half on its own, rounded once.
Pair AddBf16(Pair a, Pair b);
Pair MulF16(Pair a, Pair b);

// c += a · b for a 16x16, b 16x8, c 16x8, spread over a warp as mma.m16n8k16 does: with g = lane /
// 4 and t = lane % 4, a holds rows g and g + 8 at columns 2t and 2t + 8, b column g at rows 2t and
// 2t + 8, c rows g and g + 8 at column 2t; each with its neighbour.
void MmaBf16(float (&c)[4], const Pair (&a)[4], const Pair (&b)[2]);
void MmaF16(float (&c)[4], const Pair (&a)[4], const Pair (&b)[2]);

// Counts the blocks that ran on this thread.
uint64_t BlockSerial();

// Shared memory of a kernel, poisoned at the beginning of each block: blocks run one by one on a
// thread of the host.
template <class T, int kCount>
class SharedArray {
 public:
  T* OfThisBlock() {
    if (serial_ != BlockSerial()) {
      std::memset(static_cast<void*>(values_), 0xFF, sizeof values_);
      serial_ = BlockSerial();
    }
    return values_;
  }

 private:
  alignas(16) T values_[kCount];
  uint64_t serial_ = 0;
};

}  // namespace jikji::device

#endif  // JIKJI_DEVICE_EMULATED_THREAD_H_
