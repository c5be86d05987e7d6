// `jikji bench --device cuda:N`: the GPU's kernels at a model's shapes, beside the bandwidth of its
// memory.
#ifndef JIKJI_APP_GPU_BENCH_H_
#define JIKJI_APP_GPU_BENCH_H_

#include "app/engine_settings.h"
#include "base/error.h"
#include "measure/gpu_speed.h"

namespace jikji {

// The settings' device, and the shapes of their model; of one of 8 billion parameters where none is
// named.
Result<> BenchGpu(const EngineSettings& settings, const measure::GpuSpeedOptions& options,
                  bool json);

}  // namespace jikji

#endif  // JIKJI_APP_GPU_BENCH_H_
