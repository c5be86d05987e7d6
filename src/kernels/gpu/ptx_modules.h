// The kernels of this folder as PTX, which an NVIDIA driver compiles for its chip.
#ifndef JIKJI_KERNELS_GPU_PTX_MODULES_H_
#define JIKJI_KERNELS_GPU_PTX_MODULES_H_

#include <span>

namespace jikji::kernels::gpu {

// Each ends with a zero byte. Empty where the program was built without a Clang that makes PTX.
std::span<const char* const> PtxModules();

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_PTX_MODULES_H_
