// A decoder's tensors in a device's memory: matrices as kernels read them (weight_tiles.h), vectors
// as f32, all in one piece.
#ifndef JIKJI_MODEL_GPU_GPU_WEIGHTS_H_
#define JIKJI_MODEL_GPU_GPU_WEIGHTS_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/error.h"
#include "device/arena.h"
#include "kernels/gpu/ops.h"
#include "model/weight_sources.h"

namespace jikji {

// A vector that is not there is nullptr.
struct GpuLinear {
  kernels::gpu::DeviceMatrix weight;
  const float* bias = nullptr;
};

struct GpuLayer {
  const float *attention_norm = nullptr, *query_norm = nullptr, *key_norm = nullptr,
              *attention_post_norm = nullptr;
  const float *mlp_norm = nullptr, *mlp_post_norm = nullptr;
  GpuLinear query, key, value, output;
  GpuLinear gate, up, down;
};

struct GpuWeights {
  kernels::gpu::DeviceMatrix embedding, head;  // the same where the head is tied
  const float* final_norm = nullptr;
  std::vector<GpuLayer> layers;
  device::Arena memory;
};

// Bytes that LoadGpuWeights takes.
uint64_t GpuWeightBytes(std::span<const WeightSource> sources);

// The checkpoint is not needed afterwards.
Result<GpuWeights> LoadGpuWeights(device::Device& device, const Checkpoint& checkpoint,
                                  const DecoderSpec& spec, std::span<const WeightSource> sources,
                                  const std::function<void(double)>& progress);

}  // namespace jikji

#endif  // JIKJI_MODEL_GPU_GPU_WEIGHTS_H_
