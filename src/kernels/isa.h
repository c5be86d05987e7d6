// Which instruction set the kernels use: the best the machine has, or a lesser one that is asked
// for.
#ifndef JIKJI_KERNELS_ISA_H_
#define JIKJI_KERNELS_ISA_H_

#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji::kernels {

// AVX2: +FMA+F16C; AVX-512: F, BW, DQ, VL and VNNI; the last has products of BF16 pairs too.
enum class Isa { kPortable, kAvx2, kAvx512, kAvx512Bf16 };

std::string_view IsaName(Isa isa);  // "portable", "avx2", "avx512-vnni", "avx512-bf16"

// Those that this machine can run, worst first.
std::vector<Isa> AvailableIsas();

// A name of IsaName; the error lists them.
Result<Isa> ParseIsa(std::string_view name);

// The best available, until SetIsa.
Isa ActiveIsa();

// Not while kernels run. An error where the machine lacks it.
Result<> SetIsa(Isa isa);

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_ISA_H_
