// How much two measured serving points have in common: the covariance of a Gaussian process over
// what a configuration is, and the settings of it for each of the two times that are predicted.
//
// The logarithm of a time is a linear function of the features plus what is shared with points near
// by. Nearness falls off as a rational quadratic, whose tail lets far configurations still say
// something of each other. Beside what a point is made of (GPUs, concurrency, lengths) the features
// are their ratios, of which queues are made: requests and tokens of prompt for each GPU of prefill
// and of decode.
#ifndef JIKJI_TWIN_SERVING_KERNEL_H_
#define JIKJI_TWIN_SERVING_KERNEL_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "twin/serving_points.h"

namespace jikji::twin {

inline constexpr size_t kServingNumbers = 14;

struct ServingKernel {
  std::array<double, SiliconPoint::kLabels> label_costs;  // of labels that differ
  std::array<double, kServingNumbers> number_lengths;     // in doublings
  double spread_length;                                   // the same
  double noise;                                           // variance of a repetition
  double linear;                                          // weight of the linear part
  double tail;                                            // small: far points matter more
};

// Found by bench/serving_kernel.py: a random search for the least error with configurations left
// out, over one half of the configurations. What it finds is judged on the other half.
extern const ServingKernel kTtftKernel, kTpotKernel;

// Points as numbers.
class ServingFeatures {
 public:
  explicit ServingFeatures(std::span<const SiliconPoint> points);

  double Covariance(const ServingKernel& kernel, size_t a, size_t b) const;

 private:
  struct Features {
    std::array<uint32_t, SiliconPoint::kLabels> labels{};
    std::array<double, kServingNumbers> numbers{};  // log2
    std::array<double, 5> spread{};                 // log2
    std::vector<double> linear;                     // standardised
  };
  std::vector<Features> points_;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_SERVING_KERNEL_H_
