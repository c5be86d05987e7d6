// Steps of training: batches, gradients, clipping, AdamW.
//
// Contract: everything a later step depends on is in the parameters, their moments and TrainState:
// a run that goes on from them has the same bits as one that was never interrupted. The mean of a
// step's loss is over all its targets, however they are cut into batches, so accumulating is the
// same as one large batch.
#ifndef JIKJI_ADAPT_TRAIN_TRAINER_H_
#define JIKJI_ADAPT_TRAIN_TRAINER_H_

#include <cstdint>
#include <optional>
#include <span>

#include "adapt/train/batch_source.h"
#include "adapt/train/preference.h"
#include "adapt/train/schedule.h"
#include "adapt/train/trainable_decoder.h"
#include "base/thread_pool.h"

namespace jikji::train {

struct TrainOptions {
  Schedule schedule;
  int64_t batch_rows = 2048;  // of one forward and backward pass
  int64_t accumulate = 1;     // passes of a step
  double clip = 1.0;          // the largest norm of a gradient; 0: any
  double beta1 = 0.9;
  double beta2 = 0.95;
  double eps = 1e-8;
  double weight_decay = 0.1;
  uint64_t seed = 1;
  // Documents are pairs, the better answer first, and this is the loss; without: likelihood.
  std::optional<Preference> preference = {};
};

struct TrainState {
  int64_t step = 0;     // steps done
  int64_t tokens = 0;   // rows trained on
  int64_t targets = 0;  // of them, with a loss
  DataPosition data = {};

  bool operator==(const TrainState&) const = default;
};

struct StepReport {
  int64_t step = 0;
  double loss = 0;  // mean over the step's targets, or pairs, before the step
  double learning_rate = 0;
  double gradient_norm = 0;  // before clipping
  int64_t tokens = 0;        // of this step
  int64_t targets = 0;
};

class Trainer {
 public:
  // All outlive this; see BatchSource for the documents.
  Trainer(TrainableDecoder& model, std::span<const Document> documents, const TrainOptions& options,
          ThreadPool& pool);

  bool done() const { return state_.step >= options_.schedule.steps; }
  StepReport Step();

  const TrainState& state() const { return state_; }
  // After the parameters and moments were put back.
  void Restore(const TrainState& state);

 private:
  std::vector<Batch> NextBatches(StepReport& report);
  // The sum of the losses, with the gradient of their mean added.
  double AddGradients(const Batch& batch, double count);
  void Update(double gradient_factor, double learning_rate);

  TrainableDecoder& model_;
  TrainOptions options_;
  ThreadPool& pool_;
  BatchSource source_;
  TrainState state_;
};

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_TRAINER_H_
