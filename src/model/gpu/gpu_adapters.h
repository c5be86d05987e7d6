// Adapters in a device's memory, f32, and what they add to a step's projections.
//
// Non-goals: DoRA, and adapters with an embedding or a head of their own.
#ifndef JIKJI_MODEL_GPU_GPU_ADAPTERS_H_
#define JIKJI_MODEL_GPU_GPU_ADAPTERS_H_

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "device/arena.h"
#include "kernels/gpu/adapter.h"
#include "model/decoder_spec.h"
#include "model/gpu/gpu_limits.h"
#include "model/peft_adapter.h"

namespace jikji {

// Bytes that an adapter takes on a device. kUnsupported where a device does not do it: says what.
Result<uint64_t> GpuAdapterBytes(const PeftAdapter& adapter);

class GpuAdapters {
 public:
  // Bytes of the table of all projections of all adapters.
  static uint64_t TableBytes(const DecoderSpec& spec, const GpuLimits& limits);

  // `table`: TableBytes of the device's memory.
  GpuAdapters(const DecoderSpec& spec, const GpuLimits& limits, std::byte* table);

  // Its number. kInvalidArgument beyond the limits.
  Result<int32_t> Add(device::Device& device, const PeftAdapter& adapter);

  // Of a layer's projection; an address on the device.
  const kernels::gpu::AdapterPart* PartsOf(size_t layer, TensorRole projection) const;

 private:
  size_t IndexOf(size_t layer, TensorRole projection) const;

  GpuLimits limits_;
  std::byte* table_;
  std::vector<kernels::gpu::AdapterPart> parts_;  // as in the table: [layer][projection][adapter]
  std::vector<device::Arena> memory_;             // of each adapter
};

}  // namespace jikji

#endif  // JIKJI_MODEL_GPU_GPU_ADAPTERS_H_
