// A run's checkpoint: parameters, moments and where it stands, in one safetensors file.
//
// Contract: the file is replaced whole or not at all (written beside, synced, renamed), so whatever
// kills the process, the last checkpoint is there and the run that goes on from it has the same
// bits as one that was never killed. Non-goals: several checkpoints of one run.
#ifndef JIKJI_ADAPT_TRAIN_RUN_STATE_H_
#define JIKJI_ADAPT_TRAIN_RUN_STATE_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "adapt/train/parameters.h"
#include "adapt/train/trainer.h"
#include "base/error.h"

namespace jikji::train {

// What must not change between the parts of a run, each in one line for the message that says so.
struct RunIdentity {
  std::string settings;   // of training
  std::string data;       // Fingerprint
  std::string base = {};  // Fingerprint of the model that the run began with; "new" without one

  bool operator==(const RunIdentity&) const = default;
};

Result<> SaveRun(const std::filesystem::path& file, Parameters& parameters, const TrainState& state,
                 const RunIdentity& identity);

// An error where the file is of another base, other parameters, settings or data, which says what
// differs. A file of before bases were kept has any.
Result<TrainState> LoadRun(const std::filesystem::path& file, Parameters& parameters,
                           const RunIdentity& identity);

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_RUN_STATE_H_
