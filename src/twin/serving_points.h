// Measured serving points of real engines (InferenceX, CSV): what a simulator must reproduce.
//
// A point is a closed loop of so many requests on one configuration: model, GPU, precision, engine,
// aggregated or not, and how it is spread. Points whose concurrency is not told are left out.
#ifndef JIKJI_TWIN_SERVING_POINTS_H_
#define JIKJI_TWIN_SERVING_POINTS_H_

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji::twin {

struct SiliconPoint {
  // Model, GPU, precision, engine, aggregated or not, source, the engine's version: what has no
  // order.
  static constexpr size_t kLabels = 7;
  std::array<std::string, kLabels> labels;
  // Tensor, pipeline and data parallelism of attention, and tensor and expert parallelism of
  // experts; of decode where prefill is apart.
  std::array<double, 5> spread{};
  double concurrency = 0, prompt_tokens = 0, output_tokens = 0;
  double gpus = 1, prefill_gpus = 1, decode_gpus = 1;  // of one worker, but for `gpus`
  double prefill_workers = 1, decode_workers = 1;
  double ttft_s = 0, tpot_s = 0;
  std::string configuration;  // equal where all but concurrency, lengths, source and version are
};

Result<std::vector<SiliconPoint>> ParseSiliconPoints(std::string_view csv, std::string where);

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_SERVING_POINTS_H_
