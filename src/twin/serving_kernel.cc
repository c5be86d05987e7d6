#include "twin/serving_kernel.h"

#include <cmath>
#include <map>
#include <numeric>
#include <string>

namespace jikji::twin {
namespace {

// Labels that have a term each in the linear part: all but the engine's version.
constexpr size_t kLinearLabels = 6;
constexpr size_t kMode = 4;

std::array<double, kServingNumbers> NumbersOf(const SiliconPoint& point) {
  const double prefill = point.prefill_gpus * point.prefill_workers;
  const double decode = point.decode_gpus * point.decode_workers;
  const double concurrency = point.concurrency;
  std::array numbers = {concurrency,
                        point.prompt_tokens,
                        point.output_tokens,
                        point.gpus,
                        point.prefill_gpus,
                        point.decode_gpus,
                        point.prefill_workers,
                        point.decode_workers,
                        concurrency / prefill,
                        concurrency / decode,
                        concurrency * point.prompt_tokens / prefill,
                        concurrency / point.decode_workers,
                        concurrency / point.prefill_workers,
                        prefill / decode};
  for (double& number : numbers) number = std::log2(number);
  return numbers;
}

// Prefill apart from decode is another curve: where it is not, some terms count twice.
std::vector<double> LinearOf(const std::array<double, kServingNumbers>& n, bool together) {
  std::vector<double> linear = {
      n[0],        n[1],        n[2],        n[3], n[8], n[9], n[0] * n[0], n[1] * n[1],
      n[8] * n[8], n[9] * n[9], n[0] * n[1], n[4], n[5], n[6], n[7],        n[13]};
  for (const size_t i : {0, 1, 8, 9, 10}) linear.push_back(together ? n[i] : 0);
  return linear;
}

double SquaredHalf(double a, double b, double length) {
  const double apart = (a - b) / length;
  return apart * apart / 2;
}

}  // namespace

const ServingKernel kTtftKernel = {.label_costs = {1.21, 0.135, 0.64, 3.84, 1.3, 0.0572, 0.793},
                                   .number_lengths = {17.1, 6.07, 6.8, 866, 24.4, 12.8, 5.64, 0.388,
                                                      36.8, 25.9, 6.27, 7.86, 1.54, 1.27},
                                   .spread_length = 12.8,
                                   .noise = 0.00335,
                                   .linear = 0.0882,
                                   .tail = 6.01};

const ServingKernel kTpotKernel = {.label_costs = {0.403, 0.036, 0.534, 0.499, 5.04, 0.0103, 0.13},
                                   .number_lengths = {2.98, 2.03, 1.99, 26, 3.61, 99.6, 5.76, 15.4,
                                                      7.18, 8.92, 6.69, 4.64, 66.8, 2.97},
                                   .spread_length = 3.16,
                                   .noise = 0.0109,
                                   .linear = 2.04,
                                   .tail = 1.35};

ServingFeatures::ServingFeatures(std::span<const SiliconPoint> points) {
  std::array<std::map<std::string, uint32_t>, SiliconPoint::kLabels> known;
  for (const SiliconPoint& point : points) {
    for (size_t i = 0; i < point.labels.size(); ++i) {
      known[i].emplace(point.labels[i], static_cast<uint32_t>(known[i].size()));
    }
  }
  for (const SiliconPoint& point : points) {
    Features one;
    one.numbers = NumbersOf(point);
    for (size_t i = 0; i < point.spread.size(); ++i) one.spread[i] = std::log2(point.spread[i]);
    one.linear = LinearOf(one.numbers, point.labels[kMode] == "agg");
    for (size_t i = 0; i < point.labels.size(); ++i) {
      one.labels[i] = known[i].at(point.labels[i]);
      for (uint32_t label = 0; i < kLinearLabels && label < known[i].size(); ++label) {
        one.linear.push_back(label == one.labels[i] ? 1 : 0);
      }
    }
    points_.push_back(std::move(one));
  }
  const auto count = static_cast<double>(points_.size());
  for (size_t column = 0; !points_.empty() && column < points_[0].linear.size(); ++column) {
    double sum = 0, squares = 0;
    for (const Features& one : points_) sum += one.linear[column];
    const double mean = sum / count;
    for (const Features& one : points_) {
      squares += (one.linear[column] - mean) * (one.linear[column] - mean);
    }
    const double scale = std::sqrt(squares / count) + 1e-9;
    for (Features& one : points_) one.linear[column] = (one.linear[column] - mean) / scale;
  }
}

double ServingFeatures::Covariance(const ServingKernel& kernel, size_t first, size_t second) const {
  const Features& a = points_[first];
  const Features& b = points_[second];
  double distance = 0;
  for (size_t i = 0; i < a.labels.size(); ++i) {
    if (a.labels[i] != b.labels[i]) distance += kernel.label_costs[i];
  }
  for (size_t i = 0; i < a.numbers.size(); ++i) {
    distance += SquaredHalf(a.numbers[i], b.numbers[i], kernel.number_lengths[i]);
  }
  for (size_t i = 0; i < a.spread.size(); ++i) {
    distance += SquaredHalf(a.spread[i], b.spread[i], kernel.spread_length);
  }
  const double linear = std::inner_product(a.linear.begin(), a.linear.end(), b.linear.begin(), 0.0);
  return std::pow(1 + distance / kernel.tail, -kernel.tail) +
         kernel.linear * linear / static_cast<double>(a.linear.size());
}

}  // namespace jikji::twin
