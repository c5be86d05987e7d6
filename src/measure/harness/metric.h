// What items add up to: the figures of lm-evaluation-harness, computed from per-item values so that
// items can be drawn again for an interval (bootstrap.h).
//
// acc: the likeliest choice is the right one. acc_norm and acc_bytes: likewise, with
// log-likelihoods divided by the choice's length in characters, or in bytes of UTF-8. f1: macro-F1
// over the classes that occur, 0 for one that is never hit, as scikit-learn has it. Of equal
// choices the first wins.
#ifndef JIKJI_MEASURE_HARNESS_METRIC_H_
#define JIKJI_MEASURE_HARNESS_METRIC_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "measure/harness/items.h"

namespace jikji::measure {

enum class MetricKind {
  kMean,     // of `first`
  kMacroF1,  // of classes: `first` is the right one of each item, `second` the chosen one
  kRatio     // the sum of `first` over the sum of `second`
};

struct Metric {
  std::string name;
  MetricKind kind = MetricKind::kMean;
  std::vector<double> first, second;  // one an item; `second` is empty for means
  bool lower_is_better = false;

  size_t items() const { return first.size(); }
  // Over all items, or over those drawn, each as often as it was. 0 where there is none.
  double Value() const;
  double Value(std::span<const uint32_t> drawn) const;
};

// acc, acc_norm, acc_bytes and f1. `scores` are the log-likelihoods of each item's choices.
std::vector<Metric> ChoiceMetrics(std::span<const ChoiceItem> items,
                                  std::span<const std::vector<double>> scores);

// The first of the largest of scores, each over its length where lengths are given.
size_t BestChoice(std::span<const double> scores, std::span<const double> lengths = {});

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_HARNESS_METRIC_H_
