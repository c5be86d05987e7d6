// A mock of libnvidia-ml.so.1 for tests: two GPUs that nobody has, one of which tells less. What
// goes wrong is chosen by JIKJI_MOCK_NVML: not_loaded, mismatch, lost; or `later`, when 300 J
// more are used; nothing goes wrong where it
// is not set.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "measure/nvml_api.h"

namespace {

using jikji::measure::nvml::Device;
using jikji::measure::nvml::Memory;
using jikji::measure::nvml::Status;
namespace nvml = jikji::measure::nvml;

bool Wrong(std::string_view what) {
  const char* const chosen = std::getenv("JIKJI_MOCK_NVML");
  return chosen != nullptr && what == chosen;
}

int started = 0;
int gpus[2] = {0, 1};
int Index(Device device) { return *static_cast<int*>(device); }

Status Text(char* text, unsigned bytes, const char* value) {
  return std::snprintf(text, bytes, "%s", value) < static_cast<int>(bytes) ? nvml::kSuccess : 7;
}

// A value of the first GPU; the second says that it does not have it.
template <class T>
Status Value(Device device, T* out, T value) {
  if (started < 1) return 1;
  if (Wrong("lost")) return nvml::kGpuIsLost;
  if (Index(device) == 1) return nvml::kNotSupported;
  *out = value;
  return nvml::kSuccess;
}

}  // namespace

extern "C" {

Status nvmlInit_v2() {
  if (Wrong("not_loaded")) return nvml::kDriverNotLoaded;
  if (Wrong("mismatch")) return nvml::kVersionMismatch;
  ++started;
  return nvml::kSuccess;
}
Status nvmlShutdown() {
  --started;
  return nvml::kSuccess;
}
Status nvmlSystemGetDriverVersion(char* text, unsigned bytes) { return Text(text, bytes, "570.1"); }
Status nvmlSystemGetCudaDriverVersion_v2(int* version) {
  *version = 12080;
  return nvml::kSuccess;
}
Status nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 2;
  return nvml::kSuccess;
}
Status nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* device) {
  *device = &gpus[index];
  return nvml::kSuccess;
}
Status nvmlDeviceGetName(Device device, char* text, unsigned bytes) {
  return Text(text, bytes, Index(device) == 0 ? "Mock GPU" : "Mock GPU that tells less");
}
Status nvmlDeviceGetUUID(Device device, char* text, unsigned bytes) {
  return Text(text, bytes,
              Index(device) == 0 ? "GPU-0f1f2f3f-4f5f-6f7f-8f9f-afbfcfdfefff" : "GPU-1111");
}
Status nvmlDeviceGetCudaComputeCapability(Device device, int* major, int* minor) {
  *major = Index(device) == 0 ? 9 : 12;
  *minor = Index(device);
  return nvml::kSuccess;
}
Status nvmlDeviceGetMemoryInfo(Device device, Memory* memory) {
  return Value(device, memory, Memory{150'000'000'000, 149'000'000'000, 1'000'000'000});
}
Status nvmlDeviceGetEnforcedPowerLimit(Device device, unsigned* milliwatts) {
  return Value(device, milliwatts, 700'000u);
}
Status nvmlDeviceGetPowerUsage(Device device, unsigned* milliwatts) {
  return Value(device, milliwatts, 123'456u);
}
Status nvmlDeviceGetTotalEnergyConsumption(Device device, unsigned long long* millijoules) {
  return Value(device, millijoules, Wrong("later") ? 9'000'000'301'500ULL : 9'000'000'001'500ULL);
}
Status nvmlDeviceGetClockInfo(Device device, int clock, unsigned* mhz) {
  return Value(device, mhz, clock == nvml::kSmClock ? 1'500u : 3'000u);
}
Status nvmlDeviceGetMaxClockInfo(Device device, int clock, unsigned* mhz) {
  return Value(device, mhz, clock == nvml::kSmClock ? 1'980u : 3'201u);
}
Status nvmlDeviceGetTemperature(Device device, int sensor, unsigned* celsius) {
  return Value(device, celsius, sensor == nvml::kCoreSensor ? 45u : 99u);
}
Status nvmlDeviceGetTotalEccErrors(Device device, int type, int counter,
                                   unsigned long long* errors) {
  const bool asked = type == nvml::kUncorrected && counter == nvml::kVolatile;
  return Value(device, errors, asked ? 3ULL : 99ULL);
}

}  // extern "C"
