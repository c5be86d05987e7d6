// The kernels of this folder as an NVIDIA driver takes them: PTX, which it compiles for its chip,
// or, built by the `cuda` preset, fat binaries, which hold machine code for some chips besides.
#ifndef JIKJI_KERNELS_GPU_CODE_MODULES_H_
#define JIKJI_KERNELS_GPU_CODE_MODULES_H_

#include <span>

namespace jikji::kernels::gpu {

// Each tells its own end. Empty where the program was built without a Clang that makes PTX.
std::span<const char* const> CodeModules();

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_CODE_MODULES_H_
