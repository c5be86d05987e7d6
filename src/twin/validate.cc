#include "twin/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "fleet/prefix.h"
#include "twin/kernel_regression.h"
#include "twin/serving_kernel.h"

namespace jikji::twin {
namespace {

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// Values are logarithms: the error of a share.
double MedianError(std::span<const double> values, std::span<const double> predicted) {
  std::vector<double> errors;
  for (size_t i = 0; i < values.size(); ++i) {
    errors.push_back(std::abs(std::exp(predicted[i] - values[i]) - 1));
  }
  return Median(std::move(errors));
}

}  // namespace

Result<ServingErrors> ValidateServing(std::span<const SiliconPoint> points,
                                      const std::function<void(double)>& progress) {
  std::map<std::string, uint32_t> names;
  std::vector<uint32_t> configurations, alone(points.size());
  std::iota(alone.begin(), alone.end(), 0);
  for (const SiliconPoint& point : points) {
    configurations.push_back(
        names.emplace(point.configuration, static_cast<uint32_t>(names.size())).first->second);
  }
  ServingErrors errors{.points = points.size(), .configurations = names.size()};
  const ServingFeatures features(points);
  double done = 0;
  const auto judge = [&](const ServingKernel& kernel, double SiliconPoint::*seconds,
                         double& configuration, double& point) -> Result<> {
    JIKJI_ASSIGN(
        const HeldOutRegression regression,
        HeldOutRegression::Create(
            points.size(), [&](size_t i, size_t j) { return features.Covariance(kernel, i, j); },
            kernel.noise,
            [&](double share) {
              if (progress) progress(done + share / 2);
            }));
    done += 0.5;
    std::vector<double> values;
    for (const SiliconPoint& each : points) values.push_back(std::log(each.*seconds));
    configuration = MedianError(values, regression.Predict(values, configurations));
    point = MedianError(values, regression.Predict(values, alone));
    return {};
  };
  JIKJI_RETURN_IF_ERROR(
      judge(kTpotKernel, &SiliconPoint::tpot_s, errors.tpot_configuration, errors.tpot_point));
  JIKJI_RETURN_IF_ERROR(
      judge(kTtftKernel, &SiliconPoint::ttft_s, errors.ttft_configuration, errors.ttft_point));
  return errors;
}

PowerErrors ValidatePower(const std::vector<PowerRow>& rows) {
  std::vector<PowerRow> known, held_out;
  for (size_t i = 0; i < rows.size(); ++i) {
    (fleet::Mix(i) % 10 == 0 ? held_out : known).push_back(rows[i]);
  }
  PowerErrors errors{.rows = rows.size()};
  const PowerTable table(std::move(known));
  std::vector<double> shares;
  for (const PowerRow& row : held_out) {
    const auto watts = table.Watts(row.kind, row.shape);
    if (watts) shares.push_back(std::abs(*watts / row.watts - 1));
  }
  errors.held_out = shares.size();
  errors.watts = Median(std::move(shares));
  return errors;
}

Result<FittedStep> FitConfiguration(std::span<const SiliconPoint> points, std::string_view model,
                                    std::string_view system) {
  std::map<std::string, std::vector<ServingPoint>> configurations;
  std::map<std::string, double> gpus;
  for (const SiliconPoint& point : points) {
    if (point.labels[4] != "agg" || point.labels[1] != system ||
        point.labels[0].find(model) == std::string::npos) {
      continue;
    }
    configurations[point.configuration].push_back(
        {point.concurrency, point.prompt_tokens, point.output_tokens, point.ttft_s, point.tpot_s});
    gpus[point.configuration] = point.gpus;
  }
  const auto most = std::ranges::max_element(configurations, {},
                                             [](const auto& entry) { return entry.second.size(); });
  if (most == configurations.end()) {
    return Fail(ErrorCode::kNotFound, fmt::format("no point of {} on {}", model, system));
  }
  FittedStep fitted{.configuration = most->first, .points = most->second.size()};
  fitted.gpus = gpus[most->first];
  JIKJI_ASSIGN(fitted.step, FitStepModel(most->second));
  std::vector<double> errors;
  for (const ServingPoint& point : most->second) {
    const double tpot =
        SteadyTpot(fitted.step, point.concurrency, point.prompt_tokens, point.output_tokens);
    errors.push_back(std::abs(tpot / point.tpot_s - 1));
  }
  fitted.error = Median(std::move(errors));
  return fitted;
}

}  // namespace jikji::twin
