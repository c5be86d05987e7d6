#include <gtest/gtest.h>

#include <random>

#include "app/fleet/placeholders.h"
#include "app/fleet/program_run.h"
#include "app/fleet/slurm_text.h"
#include "base/test_rounds.h"

namespace jikji {
namespace {

using State = fleet::LaunchedNode::State;

SlurmJobOptions Options() {
  SlurmJobOptions options;
  options.program = "/opt/it's/jikji";
  options.etcd = {"http://etcd:2379"};
  options.gres = "gpu:8";
  options.serve_flags = "--threads 1";
  return options;
}

TEST(SlurmScript, RunsANodeThatReplacesItsShell) {
  const auto script = SlurmScript(Options());
  ASSERT_TRUE(script) << script.error().ToString();
  EXPECT_TRUE(script->starts_with("#!/bin/sh\n#SBATCH --job-name=jikji\n")) << *script;
  EXPECT_NE(script->find("#SBATCH --gres=gpu:8\n"), std::string::npos);
  EXPECT_NE(script->find("#SBATCH --no-requeue\n"), std::string::npos);
  EXPECT_TRUE(
      script->ends_with("exec '/opt/it'\\''s/jikji' serve --host 0.0.0.0 --port 0 --register "
                        "'http://etcd:2379' --drain-seconds 60 --threads 1\n"))
      << *script;
}

TEST(SlurmScript, NothingBreaksOutOfItsLine) {
  for (std::string SlurmJobOptions::*field :
       {&SlurmJobOptions::name, &SlurmJobOptions::partition, &SlurmJobOptions::account,
        &SlurmJobOptions::gres, &SlurmJobOptions::time_limit, &SlurmJobOptions::log,
        &SlurmJobOptions::serve_flags}) {
    SlurmJobOptions options = Options();
    options.*field = "a\nrm -rf b";
    const auto script = SlurmScript(options);
    ASSERT_FALSE(script);
    EXPECT_TRUE(script.error().where.starts_with("--")) << script.error().ToString();
  }
}

TEST(SlurmText, ReadsJobsTheOldestFirst) {
  const auto jobs = ParseSqueue("12|RUNNING|n2\n9|PENDING|\n10|COMPLETING|n1\n11|NODE_FAIL|n3\n");
  ASSERT_TRUE(jobs) << jobs.error().ToString();
  ASSERT_EQ(jobs->size(), 4u);
  EXPECT_EQ((*jobs)[0].id, "9");
  EXPECT_EQ((*jobs)[0].state, State::kPending);
  EXPECT_EQ((*jobs)[1].state, State::kEnding);
  EXPECT_EQ((*jobs)[2].state, State::kEnding);
  EXPECT_EQ((*jobs)[3].state, State::kRunning);
  EXPECT_EQ((*jobs)[3].machine, "n2");
}

TEST(SlurmText, ReadsMachines) {
  const auto machines = ParseSinfo("n1|idle\nn2|draining\nn3|down*\nn4|drained*\nn5|mixed\n");
  ASSERT_TRUE(machines);
  EXPECT_EQ(machines->leaving, (std::vector<std::string>{"n2", "n4"}));
  EXPECT_EQ(machines->down, std::vector<std::string>{"n3"});
}

TEST(SlurmText, OtherLinesAreErrorsThatNameThem) {
  EXPECT_EQ(ParseSqueue("1|RUNNING|n\nslurm is away\n").error().where, "squeue:2");
  EXPECT_EQ(ParseSinfo("|idle\n").error().where, "sinfo:1");
  std::mt19937_64 random(4);
  const std::string text = "12|RUNNING|n2\n9|PENDING|\n";
  for (int round = 0; round < TestRounds(3000); ++round) {
    std::string broken = text;
    for (int i = 0; i < 3; ++i) broken[random() % broken.size()] = static_cast<char>(random());
    const auto jobs = ParseSqueue(broken);
    EXPECT_TRUE(!jobs || jobs->size() <= broken.size() / 4);
  }
}

TEST(Placeholders, EveryPlaceHasItsValueAndEveryValueItsPlace) {
  EXPECT_EQ(*FillPlaces("a ${x}, ${y}, ${x}", {{"x", "1"}, {"y", "b/c:d"}}, "t"), "a 1, b/c:d, 1");
  EXPECT_FALSE(FillPlaces("${x}", {}, "t"));
  EXPECT_FALSE(FillPlaces("${x", {{"x", "1"}}, "t"));
  EXPECT_FALSE(FillPlaces("no place", {{"x", "1"}}, "t"));
  for (const char* bad : {"", "a b", "a\nb", "{}", "a\"", "${y}"}) {
    EXPECT_EQ(FillPlaces("${x}", {{"x", bad}}, "t").error().where, "x") << bad;
  }
}

TEST(RunProgram, GivesOutputOrWhatWentWrong) {
  EXPECT_EQ(*RunProgram({"cat"}, "in"), "in");
  EXPECT_EQ(*RunProgram({"echo", "$HOME; no shell"}), "$HOME; no shell\n");
  EXPECT_EQ(RunProgram({"no-such-program-here"}).error().code, ErrorCode::kNotFound);
  const auto failed = RunProgram({"sh", "-c", "echo why >&2; exit 3"});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "why");
}

}  // namespace
}  // namespace jikji
