// kernel.h's functions on NVIDIA's chips: PTX ISA 7.0, compute capability 8.0 and later. Include
// kernel.h instead.
#ifndef JIKJI_DEVICE_THREAD_PTX_H_
#define JIKJI_DEVICE_THREAD_PTX_H_

namespace jikji::device {

JIKJI_DEVICE uint32_t ThreadX() {
  uint32_t value;
  asm("mov.u32 %0, %%tid.x;" : "=r"(value));
  return value;
}
JIKJI_DEVICE uint32_t BlockX() {
  uint32_t value;
  asm("mov.u32 %0, %%ctaid.x;" : "=r"(value));
  return value;
}
JIKJI_DEVICE uint32_t BlockY() {
  uint32_t value;
  asm("mov.u32 %0, %%ctaid.y;" : "=r"(value));
  return value;
}

JIKJI_DEVICE void SyncBlock() { asm volatile("bar.sync 0;" ::: "memory"); }

JIKJI_DEVICE uint32_t ShuffleXor(uint32_t value, uint32_t lane_mask) {
  uint32_t out;
  asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 0x1f, 0xffffffff;"
               : "=r"(out)
               : "r"(value), "r"(lane_mask));
  return out;
}
JIKJI_DEVICE float ShuffleXor(float value, uint32_t lane_mask) {
  return __builtin_bit_cast(float, ShuffleXor(__builtin_bit_cast(uint32_t, value), lane_mask));
}

JIKJI_DEVICE void AtomicAdd(uint64_t* to, uint64_t value) {
  asm volatile("red.add.u64 [%0], %1;" : : "l"(to), "l"(value) : "memory");
}

JIKJI_DEVICE float Fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
JIKJI_DEVICE double Fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
JIKJI_DEVICE float Sqrt(float a) {
  float out;
  asm("sqrt.rn.f32 %0, %1;" : "=f"(out) : "f"(a));
  return out;
}

JIKJI_DEVICE float F16Value(uint16_t bits) {
  float out;
  asm("cvt.f32.f16 %0, %1;" : "=f"(out) : "h"(bits));
  return out;
}
// The instruction names the high half first.
JIKJI_DEVICE Pair PackF16(float low, float high) {
  Pair out;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  return out;
}
JIKJI_DEVICE Pair MulF16(Pair a, Pair b) {
  Pair out;
  asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(out) : "r"(a), "r"(b));
  return out;
}
JIKJI_DEVICE Pair PackBf16(float low, float high) {
  Pair out;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  return out;
}
JIKJI_DEVICE Pair AddBf16(Pair a, Pair b) {
  Pair out;
  constexpr Pair kOnes = 0x3F803F80u;  // sm_80 has fma but no add of such pairs
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(out) : "r"(a), "r"(kOnes), "r"(b));
  return out;
}

JIKJI_DEVICE void MmaBf16(float (&c)[4], const Pair (&a)[4], const Pair (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
JIKJI_DEVICE void MmaF16(float (&c)[4], const Pair (&a)[4], const Pair (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

}  // namespace jikji::device

#endif  // JIKJI_DEVICE_THREAD_PTX_H_
