// A run's curves: a line of JSON for each step, and a picture of them.
//
// Contract: after a resume the file holds each step once: lines beyond the checkpoint are dropped.
#ifndef JIKJI_ADAPT_TRAIN_CURVE_H_
#define JIKJI_ADAPT_TRAIN_CURVE_H_

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace jikji::train {

struct CurvePoint {
  int64_t step = 0;
  double loss = 0;
  std::optional<double> eval_loss = {};
  double learning_rate = 0;
  double gradient_norm = 0;
  int64_t tokens = 0;  // since the run began
  double seconds = 0;  // of this process
};

class Curve {
 public:
  // Keeps the lines of `file` up to `step`; the rest is dropped.
  static Result<Curve> Open(const std::filesystem::path& file, int64_t step);

  // Written at once. An error where the disk is full.
  Result<> Add(const CurvePoint& point);

  std::span<const CurvePoint> points() const { return points_; }

 private:
  std::filesystem::path file_;
  std::ofstream out_;
  std::vector<CurvePoint> points_;
};

// Loss over steps, faint as it came and drawn through its running mean, with evaluation's as dots;
// no scripts, no fonts but the reader's.
std::string CurveSvg(std::span<const CurvePoint> points);

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_CURVE_H_
