// The few functions of NVML (nvml.h of NVIDIA's driver) that gpu_monitor.cc calls, declared here
// since the toolkit is needed nowhere to build this program. Their ABI is fixed: what changes gets
// another name (`_v2`).
#ifndef JIKJI_MEASURE_NVML_API_H_
#define JIKJI_MEASURE_NVML_API_H_

#include <cstdint>

namespace jikji::measure::nvml {

using Status = int;    // nvmlReturn_t
using Device = void*;  // nvmlDevice_t

inline constexpr Status kSuccess = 0;
inline constexpr Status kNotSupported = 3;
inline constexpr Status kDriverNotLoaded = 9;
inline constexpr Status kGpuIsLost = 15;
inline constexpr Status kResetRequired = 16;
inline constexpr Status kVersionMismatch = 18;  // the library's and the kernel module's versions

struct Memory {  // nvmlMemory_t
  unsigned long long total, free, used;
};

// nvmlClockType_t, nvmlTemperatureSensors_t, nvmlMemoryErrorType_t, nvmlEccCounterType_t
inline constexpr int kSmClock = 1;
inline constexpr int kMemoryClock = 2;
inline constexpr int kCoreSensor = 0;
inline constexpr int kUncorrected = 1;
inline constexpr int kVolatile = 0;

inline constexpr unsigned kTextBytes = 96;  // the longest that NVML writes

// F(member, symbol, parameters): Library has a pointer for each.
#define JIKJI_NVML_FUNCTIONS(F)                                                                    \
  F(Init, nvmlInit_v2, ())                                                                         \
  F(Shutdown, nvmlShutdown, ())                                                                    \
  F(DriverVersion, nvmlSystemGetDriverVersion, (char* text, unsigned bytes))                       \
  F(CudaVersion, nvmlSystemGetCudaDriverVersion_v2, (int* version))                                \
  F(Count, nvmlDeviceGetCount_v2, (unsigned* count))                                               \
  F(Handle, nvmlDeviceGetHandleByIndex_v2, (unsigned index, Device* device))                       \
  F(Name, nvmlDeviceGetName, (Device device, char* text, unsigned bytes))                          \
  F(Uuid, nvmlDeviceGetUUID, (Device device, char* text, unsigned bytes))                          \
  F(Capability, nvmlDeviceGetCudaComputeCapability, (Device device, int* major, int* minor))       \
  F(MemoryInfo, nvmlDeviceGetMemoryInfo, (Device device, Memory * memory))                         \
  F(PowerLimit, nvmlDeviceGetEnforcedPowerLimit, (Device device, unsigned* milliwatts))            \
  F(Power, nvmlDeviceGetPowerUsage, (Device device, unsigned* milliwatts))                         \
  F(Energy, nvmlDeviceGetTotalEnergyConsumption, (Device device, unsigned long long* millijoules)) \
  F(Clock, nvmlDeviceGetClockInfo, (Device device, int clock, unsigned* mhz))                      \
  F(MaxClock, nvmlDeviceGetMaxClockInfo, (Device device, int clock, unsigned* mhz))                \
  F(Temperature, nvmlDeviceGetTemperature, (Device device, int sensor, unsigned* celsius))         \
  F(EccErrors, nvmlDeviceGetTotalEccErrors,                                                        \
    (Device device, int type, int counter, unsigned long long* errors))

}  // namespace jikji::measure::nvml

#endif  // JIKJI_MEASURE_NVML_API_H_
