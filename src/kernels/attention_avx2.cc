#if defined(__x86_64__)

#include "kernels/attention_simd.h"
#include "kernels/simd_avx2.h"

namespace jikji::kernels {

const AttentionVariant kAttentionAvx2 = {RunAttention<SimdAvx2>, StoreCacheF16<SimdAvx2>};

}  // namespace jikji::kernels

#endif
