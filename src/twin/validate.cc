#include "twin/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "fleet/prefix.h"
#include "twin/kernel_regression.h"

namespace jikji::twin {
namespace {

// What two points have in common falls off with the distance of their features: by these amounts
// for labels that differ, and over these lengths (in doublings) for numbers. Found by a search for
// the least error with configurations left out; the errors change little about them.
constexpr std::array<double, SiliconPoint::kLabels> kLabelCosts = {0.4, 0.1, 0.4, 0.3, 1.0, 0.6};
constexpr std::array<double, 8> kNumberLengths = {3, 3, 4, 8, 5, 8, 4, 2};
constexpr double kSpreadLength = 6;
constexpr double kNoise = 0.003;
constexpr double kLinear = 3;

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// A point as numbers: for the distance, and standardised for the linear part.
struct Features {
  std::array<uint32_t, SiliconPoint::kLabels> labels{};
  std::array<double, 8> numbers{};
  std::array<double, 5> spread{};
  std::vector<double> linear;
};

std::array<double, 8> NumbersOf(const SiliconPoint& point) {
  std::array numbers = {
      point.concurrency,  point.prompt_tokens, point.output_tokens,   point.gpus,
      point.prefill_gpus, point.decode_gpus,   point.prefill_workers, point.decode_workers};
  for (double& number : numbers) number = std::log2(number);
  return numbers;
}

void Standardise(std::vector<Features>& all) {
  const size_t columns = all.front().linear.size();
  const auto count = static_cast<double>(all.size());
  for (size_t column = 0; column < columns; ++column) {
    double sum = 0, squares = 0;
    for (const Features& one : all) sum += one.linear[column];
    const double mean = sum / count;
    for (const Features& one : all) {
      squares += (one.linear[column] - mean) * (one.linear[column] - mean);
    }
    const double scale = std::sqrt(squares / count) + 1e-9;
    for (Features& one : all) one.linear[column] = (one.linear[column] - mean) / scale;
  }
}

std::vector<Features> FeaturesOf(std::span<const SiliconPoint> points) {
  std::array<std::map<std::string, uint32_t>, SiliconPoint::kLabels> known;
  for (const SiliconPoint& point : points) {
    for (size_t i = 0; i < point.labels.size(); ++i) {
      known[i].emplace(point.labels[i], static_cast<uint32_t>(known[i].size()));
    }
  }
  std::vector<Features> all;
  for (const SiliconPoint& point : points) {
    Features one;
    one.numbers = NumbersOf(point);
    for (size_t i = 0; i < point.spread.size(); ++i) one.spread[i] = std::log2(point.spread[i]);
    const auto& n = one.numbers;
    const double each = n[0] - n[5];  // concurrency for each GPU of decode
    one.linear = {n[0],        n[1],        n[2], n[3], each, n[0] * n[0], n[1] * n[1],
                  each * each, n[0] * n[1], n[4], n[5], n[6], n[7]};
    for (size_t i = 0; i < point.labels.size(); ++i) {
      one.labels[i] = known[i].at(point.labels[i]);
      for (uint32_t label = 0; label < known[i].size(); ++label) {
        one.linear.push_back(label == one.labels[i] ? 1 : 0);
      }
    }
    all.push_back(std::move(one));
  }
  Standardise(all);
  return all;
}

double Covariance(const Features& a, const Features& b) {
  double distance = 0;
  for (size_t i = 0; i < a.labels.size(); ++i) {
    if (a.labels[i] != b.labels[i]) distance += kLabelCosts[i];
  }
  for (size_t i = 0; i < a.numbers.size(); ++i) {
    const double apart = (a.numbers[i] - b.numbers[i]) / kNumberLengths[i];
    distance += apart * apart / 2;
  }
  for (size_t i = 0; i < a.spread.size(); ++i) {
    const double apart = (a.spread[i] - b.spread[i]) / kSpreadLength;
    distance += apart * apart / 2;
  }
  const double linear = std::inner_product(a.linear.begin(), a.linear.end(), b.linear.begin(), 0.0);
  return std::exp(-distance) + kLinear * linear / static_cast<double>(a.linear.size());
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
  const std::vector<Features> features = FeaturesOf(points);
  JIKJI_ASSIGN(
      const HeldOutRegression regression,
      HeldOutRegression::Create(
          points.size(), [&](size_t i, size_t j) { return Covariance(features[i], features[j]); },
          kNoise, progress));
  std::map<std::string, uint32_t> names;
  std::vector<uint32_t> configurations, alone(points.size());
  std::vector<double> tpot, ttft;
  std::iota(alone.begin(), alone.end(), 0);
  for (const SiliconPoint& point : points) {
    configurations.push_back(
        names.emplace(point.configuration, static_cast<uint32_t>(names.size())).first->second);
    tpot.push_back(std::log(point.tpot_s));
    ttft.push_back(std::log(point.ttft_s));
  }
  return ServingErrors{
      .points = points.size(),
      .configurations = names.size(),
      .tpot_configuration = MedianError(tpot, regression.Predict(tpot, configurations)),
      .ttft_configuration = MedianError(ttft, regression.Predict(ttft, configurations)),
      .tpot_point = MedianError(tpot, regression.Predict(tpot, alone)),
      .ttft_point = MedianError(ttft, regression.Predict(ttft, alone))};
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
