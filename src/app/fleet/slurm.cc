// `jikji fleet slurm`: nodes through Slurm.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "app/command.h"
#include "app/console.h"
#include "app/fleet/fleet_commands.h"
#include "app/fleet/slurm_driver.h"
#include "app/signal_wait.h"
#include "base/log.h"

namespace jikji {
namespace {

void AddName(Settings& settings, std::string* name) {
  settings.Add("name", name,
               {"Name of the jobs; a fleet has one of its own", "작업 이름. 플릿마다 다르게"});
}

struct ScriptOptions {
  SlurmJobOptions job;

  void AddTo(Settings& settings) {
    AddName(settings, &job.name);
    settings.Add("program", &job.program,
                 {"jikji, as machines have it; empty: this one",
                  "작업 장비의 jikji 경로. 비우면 이 프로그램"});
    settings.Add("register", &job.etcd,
                 {"etcd that nodes register in, http://HOST:PORT; may be repeated",
                  "노드가 등록할 etcd, http://HOST:PORT. 여러 번 쓸 수 있음"});
    settings.Add(
        "serve-flags", &job.serve_flags,
        {"Flags of `jikji serve`, as a shell reads them: \"--model /models/x --threads 8\"",
         "`jikji serve`의 플래그, 셸이 읽는 그대로: \"--model /models/x --threads 8\""});
    settings.Add("partition", &job.partition, {"Slurm partition", "Slurm 파티션"});
    settings.Add("account", &job.account, {"Slurm account", "Slurm 계정"});
    settings.Add("gres", &job.gres, {"Resources of a node, as gpu:8", "노드의 자원. 예: gpu:8"});
    settings.Add(
        "cpus", &job.cpus,
        {"Processors of a node; 0: as Slurm has it", "노드의 CPU 수. 0이면 Slurm의 기본값"}, 0,
        65536);
    settings.Add("time", &job.time_limit,
                 {"Time limit, as 7-00:00:00; it drains before",
                  "제한 시간. 예: 7-00:00:00. 그 전에 비워짐"});
    settings.Add("log", &job.log,
                 {"File of a node's log, as /var/log/jikji-%j.log",
                  "노드 로그 파일. 예: /var/log/jikji-%j.log"});
    settings.Add(
        "drain-seconds", &job.drain_seconds,
        {"Time for answers to end when a node ends", "노드가 끝날 때 답변을 마칠 시간(초)"}, 0,
        86400);
  }

  Result<std::string> Script() {
    if (job.program.empty()) job.program = std::filesystem::read_symlink("/proc/self/exe").string();
    return SlurmScript(job);
  }
};

struct KeepOptions : ScriptOptions {
  int64_t nodes = 1;
  double look_seconds = 5;

  void AddTo(Settings& settings) {
    settings.Add("nodes", &nodes,
                 {"Nodes to keep running; 0: drain all", "계속 돌릴 노드 수. 0이면 모두 비움"}, 0,
                 100'000);
    settings.Add("look-seconds", &look_seconds, {"Between looks at Slurm", "Slurm을 보는 간격(초)"},
                 0.1, 3600);
    ScriptOptions::AddTo(settings);
  }
};

void Tell(const SlurmDriver::Step& step, int64_t wanted) {
  for (const std::string& id : step.started) fmt::print("{} {}\n", Say("started", "시작"), id);
  for (const std::string& id : step.ended) fmt::print("{} {}\n", Say("drains", "비우기"), id);
  if (!step.started.empty() || !step.ended.empty()) {
    fmt::print(fmt::runtime(Say("{} of {} nodes run\n", "노드 {}/{} 실행 중\n")), step.running,
               wanted);
  }
  std::fflush(stdout);
}

Result<> Keep(KeepOptions& options) {
  const SignalWait stop;
  JIKJI_ASSIGN(std::string script, options.Script());
  SlurmDriver driver(options.job.name, std::move(script), static_cast<int32_t>(options.nodes));
  bool held = false, away = false;
  const auto pause = std::chrono::duration<double>(options.look_seconds);
  do {
    const auto step = driver.Next(std::chrono::steady_clock::now());
    if (!step && step.error().code == ErrorCode::kNotFound) return std::unexpected(step.error());
    if (!step && !away) {
      Log(LogLevel::kWarning, "Slurm does not answer; trying on: " + step.error().ToString());
    }
    away = !step;
    if (!step) continue;
    if (step->held && !held) {
      Log(LogLevel::kWarning, "nodes end as fast as they start; waiting: look at their logs");
    }
    held = step->held;
    Tell(*step, options.nodes);
  } while (!stop.WaitFor(pause));
  return {};
}

Result<> PrintScript(ScriptOptions& options) {
  JIKJI_ASSIGN(const std::string script, options.Script());
  fmt::print("{}", script);
  return {};
}

struct JobOptions {
  std::string name = "jikji";
  std::string job;

  void AddTo(Settings& settings) {
    AddName(settings, &name);
    settings.AddPositional("job", &job, {"Job; empty: all", "작업 번호. 비우면 모두"});
  }
};

Result<> Drain(JobOptions& options) {
  JIKJI_ASSIGN(const std::vector<SlurmJob> jobs, ListSlurmJobs(options.name));
  bool found = false;
  for (const SlurmJob& job : jobs) {
    if (!options.job.empty() && job.id != options.job) continue;
    JIKJI_RETURN_IF_ERROR(DrainSlurmJob(job));
    fmt::print("{} {}\n", Say("drains", "비우기"), job.id);
    found = true;
  }
  if (!found && !options.job.empty()) {
    return Fail(ErrorCode::kNotFound, fmt::format("no job `{}` of that name", options.job));
  }
  return {};
}

Result<> List(JobOptions& options) {
  JIKJI_ASSIGN(const std::vector<SlurmJob> jobs, ListSlurmJobs(options.name));
  const auto state = [](const SlurmJob& job) {
    switch (job.state) {
      case fleet::LaunchedNode::State::kPending:
        return Say("waits", "대기");
      case fleet::LaunchedNode::State::kRunning:
        return Say("runs", "실행");
      case fleet::LaunchedNode::State::kEnding:
        return Say("ends", "끝나는 중");
      case fleet::LaunchedNode::State::kLost:
        break;
    }
    return Say("lost", "잃음");
  };
  for (const SlurmJob& job : jobs) {
    if (!options.job.empty() && job.id != options.job) continue;
    fmt::print("{}  {}  {}\n", job.id, state(job), job.machine);
  }
  return {};
}

}  // namespace

void AddFleetSlurmCommands(CommandGroup& fleet) {
  CommandGroup slurm = fleet.AddGroup("slurm", Say("Nodes through Slurm", "Slurm으로 노드 운영"));
  slurm.Add(
      "keep",
      Say("Keep so many nodes running: start, replace, drain; until SIGTERM, which ends no node",
          "정한 수의 노드를 유지합니다: 시작, 교체, 비우기. SIGTERM까지. 노드는 끝내지 않음"),
      &Keep);
  slurm.Add("script", Say("Print the job script of a node", "노드의 작업 스크립트를 출력합니다"),
            &PrintScript);
  slurm.Add("list", Say("The nodes there are", "노드 목록"), &List);
  slurm.Add("drain",
            Say("End a node, or all, once their answers are out",
                "노드 하나 또는 모두를 답변을 마친 뒤 끝냅니다"),
            &Drain);
}

}  // namespace jikji
