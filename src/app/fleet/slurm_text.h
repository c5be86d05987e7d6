// What is said to Slurm and what it says: a job script, the lines of squeue and sinfo.
#ifndef JIKJI_APP_FLEET_SLURM_TEXT_H_
#define JIKJI_APP_FLEET_SLURM_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fleet/keep.h"

namespace jikji {

// A job that runs one node.
struct SlurmJobOptions {
  std::string name = "jikji";
  std::string program;      // absolute
  std::string serve_flags;  // put on the command line as they stand
  std::vector<std::string> etcd;
  std::string partition, account, gres, time_limit, log;  // empty: as Slurm has it
  int64_t cpus = 0;                                       // 0: as Slurm has it
  int64_t drain_seconds = 60;
};

// A script for sbatch, checked: a name or path that would break out of its line is an error.
Result<std::string> SlurmScript(const SlurmJobOptions& options);

struct SlurmJob {
  std::string id;
  fleet::LaunchedNode::State state;
  std::string machine;  // empty while it waits
};

// Formats for squeue and sinfo that the readers below read.
inline constexpr const char* kSqueueFormat = "%i|%T|%N";
inline constexpr const char* kSinfoFormat = "%N|%T";

// The oldest first. A line of another shape is an error.
Result<std::vector<SlurmJob>> ParseSqueue(std::string_view text);

struct SlurmMachines {
  std::vector<std::string> leaving;  // drained or to be drained
  std::vector<std::string> down;
};
Result<SlurmMachines> ParseSinfo(std::string_view text);

}  // namespace jikji

#endif  // JIKJI_APP_FLEET_SLURM_TEXT_H_
