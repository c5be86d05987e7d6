// A run from its start, or from its last checkpoint, to its end: checkpoints by the clock and when
// it is told to stop, curves, and the loss on held-out documents.
//
// In its folder: run.safetensors (the checkpoint), curve.jsonl, curve.svg.
#ifndef JIKJI_ADAPT_TRAIN_RUN_H_
#define JIKJI_ADAPT_TRAIN_RUN_H_

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>

#include "adapt/train/curve.h"
#include "adapt/train/run_state.h"
#include "adapt/train/trainer.h"
#include "base/error.h"

namespace jikji::train {

struct RunOptions {
  std::filesystem::path folder;
  TrainOptions train;
  double checkpoint_seconds = 300;
  int64_t evaluate_every = 0;  // steps; 0: never
  std::string settings;        // of RunIdentity, beside what `train` says
};

struct RunData {
  std::span<const Document> train;
  std::span<const Document> held_out;  // may be empty
};

struct RunProgress {
  CurvePoint point;
  std::span<const CurvePoint> curve = {};  // to this step, as long as the call lasts
  int64_t steps = 0;
  double tokens_per_second = 0;  // since this process began to train
  double seconds_left = 0;
  int64_t resumed_at = 0;  // as in RunEnd
};

struct RunEnd {
  bool done = false;  // false: told to stop; the checkpoint holds where
  TrainState state;
  int64_t resumed_at = 0;  // the step of the checkpoint it began with; 0: none
};

// `stop` is looked at after each step.
Result<RunEnd> Run(TrainableDecoder& model, const RunData& data, const RunOptions& options,
                   const std::atomic<bool>& stop,
                   const std::function<void(const RunProgress&)>& on_step, ThreadPool& pool);

// An error where the disk has not so many bytes free.
Result<> CheckRoom(const std::filesystem::path& folder, uint64_t bytes);

// Mean loss over the documents' targets; nullopt where there are none.
std::optional<double> Evaluate(TrainableDecoder& model, std::span<const Document> documents,
                               int64_t batch_rows, ThreadPool& pool);

// In one line: what must stay the same for a run to go on.
std::string SettingsLine(const RunOptions& options);

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_RUN_H_
