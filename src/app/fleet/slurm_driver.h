// Keeps so many nodes running through Slurm: starts what is missing, replaces what dies, drains
// what is too much or stands on a machine that is to be emptied.
//
// All it knows is read from Slurm at each step (squeue, sinfo), so it may be stopped and started
// again, and what it launched goes on meanwhile. What to do is fleet::Keep's. Nodes that die as
// fast as they start are not started without end: see kMostStarts. Non-goals: load balancing
// (`jikji route`), placement (Slurm's).
#ifndef JIKJI_APP_FLEET_SLURM_DRIVER_H_
#define JIKJI_APP_FLEET_SLURM_DRIVER_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "app/fleet/slurm_text.h"

namespace jikji {

// The jobs of that name, with those on a machine that is down as lost.
Result<std::vector<SlurmJob>> ListSlurmJobs(const std::string& name);

// Ends a node: one that runs finishes its answers first.
Result<> DrainSlurmJob(const SlurmJob& job);

class SlurmDriver {
 public:
  // `script`: of SlurmScript.
  SlurmDriver(std::string name, std::string script, int32_t wanted)
      : name_(std::move(name)), script_(std::move(script)), wanted_(wanted) {}

  struct Step {
    int32_t running = 0;
    std::vector<std::string> started, ended;  // jobs
    bool held = false;                        // more were missing, but too many have been started
  };
  Result<Step> Next(std::chrono::steady_clock::time_point now);

 private:
  const std::string name_;
  const std::string script_;
  const int32_t wanted_;
  std::set<std::string> told_to_end_;
  std::deque<std::chrono::steady_clock::time_point> starts_;  // of the last minute
};

}  // namespace jikji

#endif  // JIKJI_APP_FLEET_SLURM_DRIVER_H_
