// The activations of one step on a device, for the largest step there may be, in one piece.
#ifndef JIKJI_MODEL_GPU_GPU_SCRATCH_H_
#define JIKJI_MODEL_GPU_GPU_SCRATCH_H_

#include <cstdint>

#include "base/error.h"
#include "device/device.h"
#include "model/decoder_spec.h"
#include "model/gpu/gpu_limits.h"

namespace jikji {

struct GpuScratch {
  float* x = nullptr;                      // [rows, hidden]: the residual stream
  float* kept_x = nullptr;                 // [rows, hidden], of the rows that are wanted
  uint16_t* normed = nullptr;              // BF16 [rows, stride of hidden]
  float* query = nullptr;                  // [rows, heads · head_dim]
  float *key = nullptr, *value = nullptr;  // [rows, kv_heads · head_dim]
  uint16_t* finished_query = nullptr;      // F16 [rows, heads · head_dim]
  uint16_t* attended = nullptr;            // BF16 [rows, stride of heads · head_dim]
  uint16_t* kept_attended = nullptr;
  float *gate = nullptr, *up = nullptr;        // [rows, intermediate]
  uint16_t* activated = nullptr;               // BF16 [rows, stride of intermediate]
  float* added = nullptr;                      // [rows, hidden]: what a half layer adds to x
  float *cosines = nullptr, *sines = nullptr;  // [rows, head_dim / 2]
  float* inv_freq = nullptr;                   // [head_dim / 2]
  float* logits = nullptr;                     // [kGpuLogitRows, the largest vocabulary]
  float* low = nullptr;                        // [rows, adapter_rank]
  std::byte* adapter_table = nullptr;          // gpu_adapters.h
  int32_t* chosen = nullptr;                   // [rows]: tokens, by the rows that are chosen
  float* parts = nullptr;                      // of attention
  std::byte* inputs = nullptr;                 // of the step (gpu_inputs.h)
  uint64_t input_bytes = 0;
  int64_t most_parts = 0;

  // Takes the memory, and clears what kernels leave alone: the columns that fill a row of BF16 up
  // to whole tiles.
  Result<> Create(device::Device& device, const DecoderSpec& spec, const GpuLimits& limits);

  // Bytes that Create takes.
  static uint64_t Bytes(const DecoderSpec& spec, const GpuLimits& limits);

 private:
  // Lays everything out from `base` on; the bytes it takes.
  uint64_t Place(std::byte* base, const DecoderSpec& spec, const GpuLimits& limits);

  device::Buffer memory_;
};

}  // namespace jikji

#endif  // JIKJI_MODEL_GPU_GPU_SCRATCH_H_
