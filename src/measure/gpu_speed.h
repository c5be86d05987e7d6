// How fast kernels run on a device at a model's shapes, beside what its memory allows.
//
// Contract: weights and activations are random, a figure is the median of runs of 10 launches that
// follow each other as in a step, after one to warm up. The limit of memory is that of copying
// rows, measured in the same run. Non-goals: the host's part of a step, sampling (`jikji bench
// --url`).
#ifndef JIKJI_MEASURE_GPU_SPEED_H_
#define JIKJI_MEASURE_GPU_SPEED_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "device/device.h"
#include "model/decoder_spec.h"

namespace jikji::measure {

struct GpuSpeedOptions {
  std::vector<int64_t> tokens = {1, 16, 64, 256};  // of a step's products
  std::vector<DType> dtypes = {DType::kBF16, DType::kQ4_K};
  int64_t context = 32768;         // positions that one token attends to
  int64_t copy_bytes = 1ll << 30;  // of a copy, read and written
  int64_t repeat = 3;              // runs
};

struct GpuFigure {
  std::string what;
  double bytes = 0;       // that must be read and written
  double operations = 0;  // multiplications and additions of products
  double seconds = 0;
};

struct GpuSpeed {
  double copy_bytes_per_second = 0;
  std::vector<GpuFigure> figures;  // of one layer, products of the head apart
};

Result<GpuSpeed> MeasureGpu(device::Device& device, const DecoderSpec& spec,
                            const GpuSpeedOptions& options);

// 8.03 · 10⁹ values: hidden 4096, intermediate 14336, 32 layers, 32 heads and 8 KV heads of 128.
DecoderSpec EightBillion();

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_GPU_SPEED_H_
