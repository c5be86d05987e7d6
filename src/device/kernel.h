// What a kernel's source is written against. It is compiled twice: by Clang to PTX for NVIDIA's
// chips, and by the host's compiler for the emulated device (emulated/), where it is tested.
//
//   JIKJI_KERNEL(jikji_scale, ScaleArgs, 128) {
//     const int64_t i = int64_t{BlockX()} * 128 + ThreadX();
//     if (i < args.count) args.x[i] *= args.factor;
//   }
//
// The macro declares the parameter `args`. Blocks have one dimension of threads, grids have two.
// Contract: where a warp or a block meets (SyncBlock, ShuffleXor, Mma…), all of its threads do:
// none has returned or taken another way. Arithmetic is IEEE's on both sides, so that the same bits
// come out, but for the sums inside Mma, whose roundings are the chip's own.
#ifndef JIKJI_DEVICE_KERNEL_H_
#define JIKJI_DEVICE_KERNEL_H_

#include <cstdint>

namespace jikji::device {

// A kernel by its name in PTX, and its body for the emulated device.
template <class Args>
struct Kernel {
  const char* name;
  uint32_t threads;  // of a block
  void (*body)(const Args& args);
};

inline constexpr uint32_t kWarp = 32;

// A 16-byte load's worth.
struct alignas(16) Words4 {
  uint32_t v[4];
};

// An 8-byte load's worth.
struct alignas(8) Words2 {
  uint32_t v[2];
};

// Two 16-bit floats in a register: the first in the low half.
using Pair = uint32_t;

}  // namespace jikji::device

#ifdef __CUDA__
#define JIKJI_DEVICE __attribute__((device, always_inline)) inline
#define JIKJI_DECLARE_KERNEL(name, Args)
#define JIKJI_KERNEL(name, Args, threads)                                               \
  extern "C" __attribute__((global)) __attribute__((launch_bounds(threads))) void name( \
      const Args args)
#define JIKJI_SHARED(T, name, count) __attribute__((shared)) static T name[count]
#define JIKJI_UNROLL _Pragma("unroll")
#include "device/thread_ptx.h"
#else
#define JIKJI_DEVICE inline
#define JIKJI_DECLARE_KERNEL(name, Args) extern const ::jikji::device::Kernel<Args> name
#define JIKJI_KERNEL(name, Args, threads)                                              \
  static void name##_body(const Args& args);                                           \
  const ::jikji::device::Kernel<Args> name{#name, threads, &name##_body}; /* NOLINT */ \
  static void name##_body(const Args& args)
#define JIKJI_SHARED(T, name, count)                                  \
  static thread_local ::jikji::device::SharedArray<T, count> name##_; \
  T* const name = name##_.OfThisBlock()
#define JIKJI_UNROLL
#include "device/emulated/thread.h"
#endif

#endif  // JIKJI_DEVICE_KERNEL_H_
