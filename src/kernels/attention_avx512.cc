#if defined(__x86_64__)

#include "kernels/attention_simd.h"
#include "kernels/simd_avx512.h"

namespace jikji::kernels {

const AttentionVariant kAttentionAvx512 = {RunAttention<SimdAvx512>, StoreCacheF16<SimdAvx512>};

}  // namespace jikji::kernels

#endif
