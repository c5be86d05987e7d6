// A decoder on several devices that compute one model together (gpu_cut.h): a model that is larger
// than one of them, or that is to answer sooner.
//
// Contract: decoder.h's; logits are those of one device, bit for bit. The devices were joined
// (device.h). Where one of them is lost, all are: Forward says the error of the first, and nobody
// waits for it. Non-goals: adapters with an embedding or a head of their own.
#ifndef JIKJI_MODEL_GPU_GPU_RANKS_H_
#define JIKJI_MODEL_GPU_GPU_RANKS_H_

#include <functional>
#include <memory>
#include <vector>

#include "base/error.h"
#include "device/device.h"
#include "model/decoder.h"
#include "model/gpu/gpu_limits.h"
#include "tensor/checkpoint.h"

namespace jikji {

// At least two devices. They load at the same time; `progress` is of the first.
Result<std::unique_ptr<Decoder>> LoadGpuRanks(std::vector<std::shared_ptr<device::Device>> devices,
                                              std::shared_ptr<const Checkpoint> checkpoint,
                                              const DecoderSpec& spec, const GpuLimits& limits,
                                              const std::function<void(double)>& progress = {});

}  // namespace jikji

#endif  // JIKJI_MODEL_GPU_GPU_RANKS_H_
