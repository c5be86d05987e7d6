// The decoder on a device: the same DecoderSpec, batches and pages as the processor's, so that all
// above it is the same.
//
// Contract: decoder.h's, promise 1 included (kernels/gpu/*.h). Activations between products are
// BF16 and keys and values F16 (or F8_E4M3, where the cache is), so that logits differ from the
// processor's by those roundings. Several devices that compute one model together have one each of
// these (gpu_ranks.h).
#ifndef JIKJI_MODEL_GPU_GPU_DECODER_H_
#define JIKJI_MODEL_GPU_GPU_DECODER_H_

#include <functional>
#include <memory>

#include "base/error.h"
#include "device/device.h"
#include "model/decoder.h"
#include "model/gpu/gpu_cut.h"
#include "model/gpu/gpu_limits.h"
#include "tensor/checkpoint.h"

namespace jikji {

// What LoadGpuDecoder takes of a device's memory, to the byte, but for what the device rounds up.
struct GpuMemory {
  uint64_t weights = 0;
  uint64_t scratch = 0;   // of steps within the limits
  uint64_t exchange = 0;  // of what ranks send each other
};

// kUnsupported: the kernels do not know such a model, and the message says what of it. Reads
// nothing of the checkpoint but names and shapes.
Result<GpuMemory> PlanGpuMemory(const Checkpoint& checkpoint, const DecoderSpec& spec,
                                const GpuLimits& limits, const GpuCut& cut = {});

// Batches beyond the limits are kInvalidArgument. With a cut, this is one rank: Forward is called
// for all at once, each on a thread of its own, with the same batch, and rank 0's answers.
Result<std::unique_ptr<Decoder>> LoadGpuDecoder(std::shared_ptr<device::Device> device,
                                                std::shared_ptr<const Checkpoint> checkpoint,
                                                DecoderSpec spec, GpuLimits limits,
                                                const std::function<void(double)>& progress = {},
                                                const GpuCut& cut = {});

}  // namespace jikji

#endif  // JIKJI_MODEL_GPU_GPU_DECODER_H_
