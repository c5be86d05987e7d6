// What the driver of this machine's NVIDIA GPUs tells of them: memory, watts, clocks, energy,
// errors.
//
// The driver's management library (NVML) is opened at run time, so one program runs with and
// without a GPU. Reading takes no memory on a GPU and starts nothing there. Contract: Open fails
// with kUnavailable where there is no driver or it does not answer, and with kUnsupported where it
// is too old; both say what to do. What a GPU does not tell is std::nullopt, never 0. Calls may
// come from several threads. Non-goals: changing clocks or limits.
#ifndef JIKJI_MEASURE_GPU_MONITOR_H_
#define JIKJI_MEASURE_GPU_MONITOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace jikji::measure {

struct GpuInfo {
  std::string name;  // "NVIDIA H200"
  std::string uuid;
  std::optional<uint64_t> memory_bytes;  // none where it is the machine's own
  int32_t major = 0, minor = 0;          // compute capability
  std::optional<double> limit_watts;
  std::optional<uint32_t> max_sm_mhz;
  std::optional<uint32_t> max_memory_mhz;
};

struct GpuReading {
  std::optional<uint64_t> used_bytes;
  std::optional<double> watts;   // a mean over what the driver chooses, a second at most
  std::optional<double> joules;  // since the driver was loaded; only grows
  std::optional<uint32_t> sm_mhz;
  std::optional<uint32_t> memory_mhz;
  std::optional<uint32_t> celsius;
  std::optional<uint64_t> uncorrected_errors;  // of memory, since the driver was loaded
};

class GpuMonitor {
 public:
  static Result<std::unique_ptr<GpuMonitor>> Open(const char* library = "libnvidia-ml.so.1");
  ~GpuMonitor();

  const std::string& driver_version() const { return driver_version_; }  // "570.86.15"
  const std::string& cuda_version() const { return cuda_version_; }      // newest it speaks: "12.8"
  std::span<const GpuInfo> gpus() const { return gpus_; }

  // kUnavailable: that GPU is lost or must be reset.
  Result<GpuReading> Read(size_t gpu) const;

 private:
  struct Library;
  explicit GpuMonitor(std::unique_ptr<Library> library);
  Result<> Describe();
  Result<GpuInfo> DescribeGpu(unsigned index);

  std::unique_ptr<Library> library_;
  std::string driver_version_, cuda_version_;
  std::vector<GpuInfo> gpus_;
  std::vector<void*> handles_;  // of the library, by GPU
};

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_GPU_MONITOR_H_
