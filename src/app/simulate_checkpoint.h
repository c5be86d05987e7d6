// The state of a simulation in a file: saved every so many minutes and when the process is asked to
// stop; where the file exists, the same command goes on from it.
#ifndef JIKJI_APP_SIMULATE_CHECKPOINT_H_
#define JIKJI_APP_SIMULATE_CHECKPOINT_H_

#include <chrono>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "app/stop_signals.h"
#include "base/error.h"
#include "twin/simulation.h"

namespace jikji {

class SimulationCheckpoints {
 public:
  // `settings`: all that the report depends on, a line each; `files`: those among them that are
  // paths, whose content counts too. Empty paths are passed over.
  static Result<std::unique_ptr<SimulationCheckpoints>> Open(const std::filesystem::path& file,
                                                             std::chrono::minutes interval,
                                                             std::string settings,
                                                             std::span<const std::string> files);

  const twin::StateKeeping& keeping() const { return keeping_; }

  // The run is done: the next one begins anew.
  Result<> End() const;

 private:
  explicit SimulationCheckpoints(std::chrono::minutes interval);
  twin::StateKeeping::Wish Wish();

  StopSignals signals_;
  std::chrono::steady_clock::duration interval_;
  std::chrono::steady_clock::time_point due_;
  twin::StateKeeping keeping_;
};

}  // namespace jikji

#endif  // JIKJI_APP_SIMULATE_CHECKPOINT_H_
