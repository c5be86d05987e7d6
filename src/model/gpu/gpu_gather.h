// What ranks exchange in a step (gpu_cut.h): each has some columns of a product's rows, and all
// need all of them. On a device alone nothing is done, and nothing takes memory.
#ifndef JIKJI_MODEL_GPU_GPU_GATHER_H_
#define JIKJI_MODEL_GPU_GPU_GATHER_H_

#include <cstdint>

#include "base/error.h"
#include "device/device.h"
#include "model/decoder_spec.h"
#include "model/gpu/gpu_cut.h"
#include "model/gpu/gpu_limits.h"

namespace jikji {

class GpuGather {
 public:
  // Bytes that Create takes. `spec` is the whole model's.
  static uint64_t Bytes(const DecoderSpec& spec, const GpuLimits& limits, const GpuCut& cut);

  Result<> Create(device::Device& device, const DecoderSpec& spec, const GpuLimits& limits,
                  const GpuCut& cut);

  // Where this rank's columns of a product go that Added or Logits gather: where all are to be,
  // on a device alone. As many from one row to the next as the rank has.
  float* PartOf(float* whole) const { return device_ == nullptr ? whole : part_; }

  // Launches, which may be recorded. to: [rows, hidden]; [rows, vocab].
  Result<> Added(int64_t rows, float* to) { return Sums(rows, hidden_, to); }
  Result<> Logits(int64_t rows, float* to) { return Sums(rows, vocab_, to); }

  // BF16, from rows of RowStride(the rank's columns) to rows of RowStride(all columns): of heads'
  // outputs and of the MLP. What comes back is there until the next call.
  Result<const uint16_t*> Attended(const uint16_t* part, int64_t rows);
  Result<const uint16_t*> Activated(const uint16_t* part, int64_t rows);

 private:
  uint64_t Place(std::byte* base, const DecoderSpec& spec, const GpuLimits& limits,
                 const GpuCut& cut);
  Result<> Sums(int64_t rows, int64_t width, float* to);
  Result<> Vectors(const uint16_t* part, int64_t rows, int64_t part_width, int64_t width,
                   uint16_t* to);

  device::Device* device_ = nullptr;  // nullptr: alone
  GpuCut cut_;
  int64_t hidden_ = 0, vocab_ = 0, attended_width_ = 0, activated_width_ = 0;
  float* part_ = nullptr;
  std::byte* gathered_ = nullptr;  // [ranks][a part]
  uint16_t *attended_ = nullptr, *activated_ = nullptr;
  device::Buffer memory_;
};

}  // namespace jikji

#endif  // JIKJI_MODEL_GPU_GPU_GATHER_H_
