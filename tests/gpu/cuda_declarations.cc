// Our declarations of the driver's functions (device/cuda/driver_api.h) against those of CUDA's
// toolkit, where that is installed: compiling this is the test.
#include <cuda.h>

#include <cstddef>
#include <type_traits>

#include "device/cuda/driver_api.h"

namespace jikji::device::cuda {
namespace {

// What a calling convention sees of a parameter: what it points to, as deep as it goes, or how wide
// the number is. Handles are pointers to structs that neither side defines; enums are numbers.
template <class Ours, class Theirs>
constexpr bool SameParameter() {
  if constexpr (std::is_pointer_v<Ours> && std::is_pointer_v<Theirs>) {
    using To = std::remove_cv_t<std::remove_pointer_t<Ours>>;
    using From = std::remove_cv_t<std::remove_pointer_t<Theirs>>;
    constexpr bool kConst = std::is_const_v<std::remove_pointer_t<Ours>> ==
                            std::is_const_v<std::remove_pointer_t<Theirs>>;
    if constexpr (std::is_void_v<To> || std::is_void_v<From>) {
      return kConst && std::is_void_v<To> && std::is_void_v<From>;
    } else if constexpr (std::is_class_v<To> && std::is_class_v<From>) {
      return kConst;
    } else {
      return kConst && SameParameter<To, From>();
    }
  } else {
    constexpr auto kIsNumber = []<class T>(std::type_identity<T>) {
      return std::is_integral_v<T> || std::is_enum_v<T>;
    };
    return kIsNumber(std::type_identity<Ours>()) && kIsNumber(std::type_identity<Theirs>()) &&
           sizeof(Ours) == sizeof(Theirs);
  }
}

template <class Ours, class Theirs>
struct Same : std::false_type {};
template <class... Ours, class... Theirs>
struct Same<Status (*)(Ours...), CUresult (*)(Theirs...)>
    : std::bool_constant<sizeof...(Ours) == sizeof...(Theirs)> {};
template <class... Ours, class... Theirs>
requires(sizeof...(Ours) ==
         sizeof...(Theirs)) struct Same<Status (*)(Ours...), CUresult (*)(Theirs...)>
    : std::bool_constant<(SameParameter<Ours, Theirs>() && ...)> {
};

static_assert(sizeof(Status) == sizeof(CUresult));
#define JIKJI_CUDA_SAME(Name, symbol, args)                               \
  static_assert(Same<Status(*) args, std::decay_t<decltype(::symbol)>>(), \
                #symbol " is declared otherwise in cuda.h");
JIKJI_CUDA_FUNCTIONS(JIKJI_CUDA_SAME)
#undef JIKJI_CUDA_SAME

static_assert(kSuccess == CUDA_SUCCESS && kOutOfMemory == CUDA_ERROR_OUT_OF_MEMORY &&
              kNotFound == CUDA_ERROR_NOT_FOUND);
static_assert(kMultiprocessorCount == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT &&
              kCapabilityMajor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR &&
              kCapabilityMinor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
static_assert(kCaptureThreadLocal == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL &&
              kNoTiming == CU_EVENT_DISABLE_TIMING);
static_assert(kJitErrorLog == CU_JIT_ERROR_LOG_BUFFER &&
              kJitErrorLogBytes == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);

}  // namespace
}  // namespace jikji::device::cuda
