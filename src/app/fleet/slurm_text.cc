#include "app/fleet/slurm_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace jikji {
namespace {

using State = fleet::LaunchedNode::State;

// Of a job's name, a partition and the like: what needs no quoting anywhere.
bool IsPlain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_-.,:/%=+").find(c) != std::string_view::npos;
  });
}

std::string Quoted(std::string_view word) {
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += R"('\'')";
    } else {
      out += c;
    }
  }
  return out + "'";
}

// The lines of `text`, each of exactly so many parts between bars.
template <size_t kParts, class Take>
Result<> ForEachLine(std::string_view text, std::string_view where, Take take) {
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    std::array<std::string, kParts> parts;
    size_t count = 0;
    for (; count < kParts; ++count) {
      const size_t bar = count + 1 < kParts ? line.find('|') : line.size();
      if (bar == std::string_view::npos) break;
      parts[count] = line.substr(0, bar);
      line.remove_prefix(std::min(bar + 1, line.size()));
    }
    if (count < kParts || parts[0].empty()) {
      return Fail(ErrorCode::kMalformed, fmt::format("a line without {} parts", kParts),
                  fmt::format("{}:{}", where, number));
    }
    take(parts);
  }
  return {};
}

State StateOf(std::string_view name) {
  if (name == "PENDING" || name == "CONFIGURING" || name == "REQUEUED") return State::kPending;
  if (name == "RUNNING" || name == "SUSPENDED") return State::kRunning;
  return State::kEnding;
}

int64_t Number(const std::string& id) {
  int64_t value = 0;
  std::from_chars(id.data(), id.data() + id.size(), value);
  return value;
}

}  // namespace

Result<std::string> SlurmScript(const SlurmJobOptions& options) {
  std::string script = "#!/bin/sh\n";
  const auto line = [&](std::string_view name, std::string_view value) -> Result<> {
    if (value.empty()) return {};
    if (!IsPlain(value)) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("`{}` holds a character that a job script does not take", value),
                  "--" + std::string(name));
    }
    script += fmt::format("#SBATCH --{}={}\n", name, value);
    return {};
  };
  JIKJI_RETURN_IF_ERROR(line("job-name", options.name));
  JIKJI_RETURN_IF_ERROR(line("partition", options.partition));
  JIKJI_RETURN_IF_ERROR(line("account", options.account));
  JIKJI_RETURN_IF_ERROR(line("gres", options.gres));
  JIKJI_RETURN_IF_ERROR(line("time", options.time_limit));
  JIKJI_RETURN_IF_ERROR(line("output", options.log));
  if (options.cpus > 0)
    JIKJI_RETURN_IF_ERROR(line("cpus-per-task", fmt::format("{}", options.cpus)));
  // A lost node is replaced by a new job at once; Slurm would wait two minutes. Before a time limit
  // ends it, it drains.
  script += fmt::format("#SBATCH --ntasks=1\n#SBATCH --no-requeue\n#SBATCH --signal=B:TERM@{}\n",
                        options.drain_seconds + 5);
  if (options.serve_flags.find_first_of("\r\n") != std::string::npos) {
    return Fail(ErrorCode::kInvalidArgument, "holds a line break", "--serve-flags");
  }
  script += "exec " + Quoted(options.program) + " serve --host 0.0.0.0 --port 0";
  for (const std::string& endpoint : options.etcd) script += " --register " + Quoted(endpoint);
  script += fmt::format(" --drain-seconds {}", options.drain_seconds);
  if (!options.serve_flags.empty()) script += " " + options.serve_flags;
  return script + "\n";
}

Result<std::vector<SlurmJob>> ParseSqueue(std::string_view text) {
  std::vector<SlurmJob> jobs;
  JIKJI_RETURN_IF_ERROR(ForEachLine<3>(text, "squeue", [&](const auto& parts) {
    jobs.push_back({parts[0], StateOf(parts[1]), parts[2]});
  }));
  std::ranges::stable_sort(jobs, {}, [](const SlurmJob& job) { return Number(job.id); });
  return jobs;
}

Result<SlurmMachines> ParseSinfo(std::string_view text) {
  SlurmMachines machines;
  JIKJI_RETURN_IF_ERROR(ForEachLine<2>(text, "sinfo", [&](const auto& parts) {
    // "draining", "drained*", "down*": the star means that it does not answer.
    if (parts[1].starts_with("drain")) machines.leaving.push_back(parts[0]);
    if (parts[1].starts_with("down")) machines.down.push_back(parts[0]);
  }));
  return machines;
}

}  // namespace jikji
