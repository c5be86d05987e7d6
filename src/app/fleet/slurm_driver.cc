#include "app/fleet/slurm_driver.h"

#include <algorithm>

#include "app/fleet/program_run.h"

namespace jikji {
namespace {

using State = fleet::LaunchedNode::State;

// Starts in a minute, as multiples of the nodes that are wanted: a fleet may be replaced as a whole
// and once more, but a model that cannot be loaded must not fill the queue.
constexpr size_t kMostStarts = 2;

bool Names(const std::vector<std::string>& machines, const std::string& machine) {
  return std::ranges::find(machines, machine) != machines.end();
}

Result<SlurmMachines> ListMachines() {
  JIKJI_ASSIGN(const std::string text,
               RunProgram({"sinfo", "--noheader", "--Node", "--format", kSinfoFormat}));
  return ParseSinfo(text);
}

Result<std::vector<SlurmJob>> ListJobs(const std::string& name) {
  JIKJI_ASSIGN(const std::string text, RunProgram({"squeue", "--noheader", "--me", "--name", name,
                                                   "--format", kSqueueFormat}));
  return ParseSqueue(text);
}

}  // namespace

Result<std::vector<SlurmJob>> ListSlurmJobs(const std::string& name) {
  JIKJI_ASSIGN(std::vector<SlurmJob> jobs, ListJobs(name));
  JIKJI_ASSIGN(const SlurmMachines machines, ListMachines());
  for (SlurmJob& job : jobs) {
    if (Names(machines.down, job.machine)) job.state = State::kLost;
  }
  return jobs;
}

Result<> DrainSlurmJob(const SlurmJob& job) {
  std::vector<std::string> words = {"scancel"};
  // To the script, which is the node itself.
  if (job.state == State::kRunning) words.insert(words.end(), {"--signal=TERM", "--batch"});
  words.push_back(job.id);
  JIKJI_RETURN_IF_ERROR(RunProgram(std::move(words)));
  return {};
}

Result<SlurmDriver::Step> SlurmDriver::Next(std::chrono::steady_clock::time_point now) {
  JIKJI_ASSIGN(const std::vector<SlurmJob> jobs, ListSlurmJobs(name_));
  JIKJI_ASSIGN(const SlurmMachines machines, ListMachines());
  std::erase_if(told_to_end_, [&](const std::string& id) {
    return std::ranges::find(jobs, id, &SlurmJob::id) == jobs.end();
  });
  Step step;
  std::vector<fleet::LaunchedNode> nodes;
  for (const SlurmJob& job : jobs) {
    const State state = told_to_end_.contains(job.id) ? State::kEnding : job.state;
    step.running += state == State::kRunning;
    nodes.push_back({state, Names(machines.leaving, job.machine)});
  }
  const fleet::KeepPlan plan = fleet::Keep(nodes, wanted_);
  for (const size_t i : plan.end) {
    JIKJI_RETURN_IF_ERROR(DrainSlurmJob(jobs[i]));
    told_to_end_.insert(jobs[i].id);
    step.ended.push_back(jobs[i].id);
  }
  while (!starts_.empty() && now - starts_.front() > std::chrono::minutes(1)) starts_.pop_front();
  for (int32_t i = 0; i < plan.start; ++i) {
    step.held = starts_.size() >= kMostStarts * static_cast<size_t>(wanted_);
    if (step.held) break;
    JIKJI_ASSIGN(std::string id, RunProgram({"sbatch", "--parsable"}, script_));
    starts_.push_back(now);
    id.resize(std::min(id.find_first_of(";\n"), id.size()));
    step.started.push_back(std::move(id));
  }
  return step;
}

}  // namespace jikji
