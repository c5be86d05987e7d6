// The decoder on a device: the same DecoderSpec, batches and pages as the processor's, so that all
// above it is the same.
//
// Contract: decoder.h's, promise 1 included (kernels/gpu/*.h). Activations between products are
// BF16 and keys and values F16, so that logits differ from the processor's by those roundings.
// Non-goals: several devices.
#ifndef JIKJI_MODEL_GPU_GPU_DECODER_H_
#define JIKJI_MODEL_GPU_GPU_DECODER_H_

#include <functional>
#include <memory>

#include "base/error.h"
#include "device/device.h"
#include "model/decoder.h"
#include "model/gpu/gpu_limits.h"
#include "tensor/checkpoint.h"

namespace jikji {

// What LoadGpuDecoder takes of a device's memory, to the byte, but for what the device rounds up.
struct GpuMemory {
  uint64_t weights = 0;
  uint64_t scratch = 0;  // of steps within the limits
};

// kUnsupported: the kernels do not know such a model, and the message says what of it. Reads
// nothing of the checkpoint but names and shapes.
Result<GpuMemory> PlanGpuMemory(const Checkpoint& checkpoint, const DecoderSpec& spec,
                                const GpuLimits& limits);

// Batches beyond the limits are kInvalidArgument.
Result<std::unique_ptr<Decoder>> LoadGpuDecoder(std::shared_ptr<device::Device> device,
                                                std::shared_ptr<const Checkpoint> checkpoint,
                                                DecoderSpec spec, GpuLimits limits,
                                                const std::function<void(double)>& progress = {});

}  // namespace jikji

#endif  // JIKJI_MODEL_GPU_GPU_DECODER_H_
