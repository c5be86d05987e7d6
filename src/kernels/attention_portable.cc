#include "kernels/attention_simd.h"
#include "kernels/simd_portable.h"

namespace jikji::kernels {

const AttentionVariant kAttentionPortable = {RunAttention<SimdPortable>,
                                             StoreCacheF16<SimdPortable>};

}  // namespace jikji::kernels
