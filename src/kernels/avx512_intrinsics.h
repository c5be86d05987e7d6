// AVX-512's intrinsics without GCC 12's warnings of its own header's deliberately undefined
// operands (GCC bug 105593). Only *_avx512*.cc may include it.
#ifndef JIKJI_KERNELS_AVX512_INTRINSICS_H_
#define JIKJI_KERNELS_AVX512_INTRINSICS_H_

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#endif  // JIKJI_KERNELS_AVX512_INTRINSICS_H_
