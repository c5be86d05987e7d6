#include "adapt/train/trainer.h"

#include <algorithm>
#include <cmath>

#include "kernels/adamw.h"

namespace jikji::train {

Trainer::Trainer(TrainableDecoder& model, std::span<const Document> documents,
                 const TrainOptions& options, ThreadPool& pool)
    : model_(model),
      options_(options),
      pool_(pool),
      source_(documents, options.preference ? 2 : 1, options.batch_rows, options.seed) {}

void Trainer::Restore(const TrainState& state) {
  state_ = state;
  source_.Seek(state.data);
}

std::vector<Batch> Trainer::NextBatches(StepReport& report) {
  std::vector<Batch> batches;
  for (int64_t i = 0; i < options_.accumulate; ++i) {
    batches.push_back(source_.Next());
    report.tokens += batches.back().rows();
    report.targets += batches.back().target_count();
  }
  return batches;
}

double Trainer::AddGradients(const Batch& batch, double count) {
  if (!options_.preference) {
    return model_.AddGradients(batch, static_cast<float>(1.0 / count), pool_);
  }
  const std::vector<double> losses = model_.DocumentLosses(batch, pool_);
  const PreferenceLoss preference = options_.preference->Of(batch.numbers, losses);
  std::vector<float> factors;
  for (const double factor : preference.factors) {
    factors.push_back(static_cast<float>(factor / count));
  }
  model_.AddGradients(batch, factors, pool_);
  return preference.sum;
}

StepReport Trainer::Step() {
  StepReport report{.step = state_.step + 1,
                    .learning_rate = options_.schedule.At(state_.step + 1)};
  const std::vector<Batch> batches = NextBatches(report);
  Parameters& parameters = model_.parameters();
  std::ranges::fill(parameters.gradients(), 0.0f);
  double count = static_cast<double>(report.targets);
  if (options_.preference) {
    count = 0;
    for (const Batch& batch : batches) count += static_cast<double>(batch.documents.size()) / 2;
  }
  for (const Batch& batch : batches) report.loss += AddGradients(batch, count);
  report.loss /= count;
  report.gradient_norm = std::sqrt(kernels::SumOfSquares(parameters.gradients(), pool_));
  // The small number keeps a gradient of zero from a division by zero, as PyTorch's clipping does.
  const double scale =
      options_.clip > 0 ? std::min(1.0, options_.clip / (report.gradient_norm + 1e-6)) : 1.0;
  Update(scale, report.learning_rate);
  state_ = {report.step, state_.tokens + report.tokens, state_.targets + report.targets,
            source_.position()};
  return report;
}

void Trainer::Update(double gradient_factor, double learning_rate) {
  Parameters& p = model_.parameters();
  for (size_t i = 0; i < p.list().size(); ++i) {
    const kernels::AdamWOptions options{
        .learning_rate = static_cast<float>(learning_rate),
        .beta1 = static_cast<float>(options_.beta1),
        .beta2 = static_cast<float>(options_.beta2),
        .eps = static_cast<float>(options_.eps),
        .weight_decay = p.list()[i].decays() ? static_cast<float>(options_.weight_decay) : 0.0f};
    kernels::AdamW(p.value(i), p.gradient(i), p.Of(p.first_moments(), i),
                   p.Of(p.second_moments(), i), options, state_.step + 1,
                   static_cast<float>(gradient_factor), pool_);
  }
}

}  // namespace jikji::train
