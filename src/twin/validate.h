// How far the models of the twin are from what was measured, each judged on what it has not seen.
#ifndef JIKJI_TWIN_VALIDATE_H_
#define JIKJI_TWIN_VALIDATE_H_

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "twin/power_table.h"
#include "twin/serving_points.h"
#include "twin/step_model.h"

namespace jikji::twin {

// Median absolute errors as shares of what was measured.
struct ServingErrors {
  size_t points = 0, configurations = 0;
  double tpot_configuration = 0, ttft_configuration = 0;  // with a whole configuration left out
  double tpot_point = 0, ttft_point = 0;                  // with the point alone left out
};
Result<ServingErrors> ValidateServing(std::span<const SiliconPoint> points,
                                      const std::function<void(double)>& progress = {});

struct PowerErrors {
  size_t rows = 0, held_out = 0;
  double watts = 0;
};
// A tenth of the rows, drawn by a hash of their place, is predicted from the others.
PowerErrors ValidatePower(const std::vector<PowerRow>& rows);

// The step model of the configuration of a model on a GPU that has the most aggregated points, with
// the median absolute error of time per output token over those points.
struct FittedStep {
  std::string configuration;
  size_t points = 0;
  double gpus = 0;
  StepModel step = {};
  double error = 0;
};
Result<FittedStep> FitConfiguration(std::span<const SiliconPoint> points, std::string_view model,
                                    std::string_view system);

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_VALIDATE_H_
