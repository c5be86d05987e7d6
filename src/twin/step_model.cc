#include "twin/step_model.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace jikji::twin {
namespace {

constexpr size_t kTerms = 4;
using Terms = std::array<double, kTerms>;

// What a steady step does, for the point's unit of each coefficient.
Terms TermsOf(double concurrency, double prompt, double output) {
  return {1, concurrency, concurrency * (prompt + output / 2),
          concurrency * prompt / std::max(1.0, output)};
}

}  // namespace

double SteadyTpot(const StepModel& model, double concurrency, double prompt, double output) {
  const Terms terms = TermsOf(concurrency, prompt, output);
  return model.base_s * terms[0] + model.sequence_s * terms[1] + model.context_s * terms[2] +
         concurrency * model.PromptSeconds(prompt, prompt) / std::max(1.0, output);
}

Result<StepModel> FitStepModel(std::span<const ServingPoint> points) {
  if (points.size() < kTerms) {
    return Fail(ErrorCode::kInvalidArgument, "a step model needs at least four measured points");
  }
  // Relative errors count, so every row is divided by what was measured. Coordinate descent keeps
  // each coefficient at or above zero and converges quickly for four of them.
  std::array<Terms, kTerms> gram{};
  Terms target{};
  for (const ServingPoint& point : points) {
    Terms row = TermsOf(point.concurrency, point.prompt_tokens, point.output_tokens);
    for (double& term : row) term /= point.tpot_s;
    for (size_t i = 0; i < kTerms; ++i) {
      for (size_t j = 0; j < kTerms; ++j) gram[i][j] += row[i] * row[j];
      target[i] += row[i];
    }
  }
  Terms fitted{};
  for (int sweep = 0; sweep < 20'000; ++sweep) {
    for (size_t i = 0; i < kTerms; ++i) {
      if (gram[i][i] <= 0) continue;
      double rest = target[i];
      for (size_t j = 0; j < kTerms; ++j) rest -= j == i ? 0 : gram[i][j] * fitted[j];
      fitted[i] = std::max(0.0, rest / gram[i][i]);
    }
  }
  return StepModel{
      .base_s = fitted[0], .sequence_s = fitted[1], .context_s = fitted[2], .prompt_s = fitted[3]};
}

}  // namespace jikji::twin
