#include "kernels/isa.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <atomic>
#include <iterator>
#include <string>

namespace jikji::kernels {
namespace {

constexpr Isa kAll[] = {Isa::kPortable, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16};

#if defined(__x86_64__)
// Clang 16's __builtin_cpu_supports does not know this feature. Where AVX is usable, so is it.
bool HasF16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

bool Runs(Isa isa) {
  if (isa == Isa::kPortable) return true;
#if defined(__x86_64__)
  // The builtins ask the operating system too, whether it saves the wider registers.
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && HasF16c() &&
                    __builtin_cpu_supports("bmi2");
  if (isa == Isa::kAvx2) return avx2;
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
  if (isa == Isa::kAvx512) return avx512;
  return avx512 && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

std::atomic<Isa>& Active() {
  static std::atomic<Isa> active{AvailableIsas().back()};
  return active;
}

}  // namespace

std::string_view IsaName(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return "portable";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512-vnni";
    case Isa::kAvx512Bf16:
      return "avx512-bf16";
  }
  return "portable";
}

std::vector<Isa> AvailableIsas() {
  std::vector<Isa> isas;
  std::copy_if(std::begin(kAll), std::end(kAll), std::back_inserter(isas), Runs);
  return isas;
}

Result<Isa> ParseIsa(std::string_view name) {
  std::string names;
  for (const Isa isa : kAll) {
    if (IsaName(isa) == name) return isa;
    names += (names.empty() ? "" : ", ") + std::string(IsaName(isa));
  }
  return Fail(ErrorCode::kInvalidArgument,
              "instruction set `" + std::string(name) + "` is none of " + names);
}

Isa ActiveIsa() { return Active().load(std::memory_order_relaxed); }

Result<> SetIsa(Isa isa) {
  if (!Runs(isa)) {
    return Fail(ErrorCode::kUnsupported,
                "this machine has no " + std::string(IsaName(isa)) + " instructions");
  }
  Active().store(isa, std::memory_order_relaxed);
  return {};
}

}  // namespace jikji::kernels
