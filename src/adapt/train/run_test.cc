#include "adapt/train/run.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <limits>

#include "adapt/train/small_model.h"
#include "base/file.h"
#include "base/random.h"
#include "base/test_rounds.h"
#include "model/golden_models.h"

namespace jikji::train {
namespace {

constexpr int64_t kSteps = 40;

RunOptions Options(const std::filesystem::path& folder, double checkpoint_seconds = 0) {
  RunOptions options;
  options.folder = folder;
  options.train = SmallOptions(kSteps);
  options.checkpoint_seconds = checkpoint_seconds;
  options.evaluate_every = 10;
  return options;
}

struct Outcome {
  Result<RunEnd> end;
  std::vector<float> values;
};

Outcome RunSmall(const RunOptions& options, int64_t stop_after = kSteps) {
  static const std::vector<Document> documents = SmallDocuments(24);
  auto model = *TrainableDecoder::New(SmallSpec(), {});
  ThreadPool pool(1);
  std::atomic<bool> stop = false;
  auto end = Run(
      *model, {documents, std::span(documents).first(5)}, options, stop,
      [&](const RunProgress& p) { stop = p.point.step >= stop_after; }, pool);
  const auto values = model->parameters().values();
  return {std::move(end), {values.begin(), values.end()}};
}

std::vector<CurvePoint> PointsOf(const std::filesystem::path& folder) {
  const Curve curve = *Curve::Open(folder / "curve.jsonl", kSteps);
  return {curve.points().begin(), curve.points().end()};
}

TEST(Run, StoppedAndResumedIsUninterrupted) {
  TemporaryFolder whole, parts;
  const Outcome wanted = RunSmall(Options(whole.path()));
  ASSERT_TRUE(wanted.end) << wanted.end.error().ToString();
  EXPECT_TRUE(wanted.end->done);
  const Outcome first = RunSmall(Options(parts.path(), 3600), 7);
  EXPECT_FALSE(first.end->done);
  EXPECT_EQ(first.end->state.step, 7);
  EXPECT_EQ(RunSmall(Options(parts.path(), 3600), 23).end->resumed_at, 7);
  const Outcome last = RunSmall(Options(parts.path(), 3600));
  EXPECT_EQ(last.end->resumed_at, 23);
  EXPECT_EQ(last.values, wanted.values);
  const auto a = PointsOf(whole.path()), b = PointsOf(parts.path());
  ASSERT_EQ(a.size(), size_t{kSteps});
  ASSERT_EQ(b.size(), size_t{kSteps});
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].loss, b[i].loss);
    EXPECT_EQ(a[i].eval_loss, b[i].eval_loss);
    EXPECT_EQ(a[i].eval_loss.has_value(), (i + 1) % 10 == 0);
  }
  // What is done stays done.
  const Outcome again = RunSmall(Options(parts.path()));
  EXPECT_EQ(again.end->resumed_at, kSteps);
  EXPECT_EQ(again.values, wanted.values);
}

// Killed at any instant, whatever it was writing: the next process goes on from the last checkpoint
// and comes to the same weights.
TEST(Run, KilledAtAnyInstantLosesNothingThatWasSaved) {
  TemporaryFolder whole;
  const Outcome wanted = RunSmall(Options(whole.path()));
  ASSERT_TRUE(wanted.end);
  Random random(5);
  for (int round = 0; round < TestRounds(6); ++round) {
    TemporaryFolder folder;
    int killed = 0;
    while (true) {
      const pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        const Outcome outcome = RunSmall(Options(folder.path()));
        _exit(outcome.end && outcome.end->done ? 0 : 1);
      }
      // It ends of itself, or is killed at some instant of its work: later and later, so that a
      // slow machine comes to the end too.
      const uint64_t longest = 20'000 * static_cast<uint64_t>(killed + 1);
      const auto until = std::chrono::steady_clock::now() +
                         std::chrono::microseconds(2000 + random.Below(longest));
      int status = 0;
      pid_t ended = 0;
      while (ended == 0 && std::chrono::steady_clock::now() < until) {
        ended = waitpid(child, &status, WNOHANG);
      }
      if (ended == 0) {
        kill(child, SIGKILL);
        ASSERT_EQ(waitpid(child, &status, 0), child);
      }
      if (WIFEXITED(status)) {
        ASSERT_EQ(WEXITSTATUS(status), 0);
        break;
      }
      ++killed;
    }
    const Outcome last = RunSmall(Options(folder.path()));
    ASSERT_TRUE(last.end) << last.end.error().ToString();
    EXPECT_EQ(last.end->resumed_at, kSteps);
    EXPECT_EQ(last.values, wanted.values);
    EXPECT_EQ(PointsOf(folder.path()).size(), size_t{kSteps});
    const std::filesystem::directory_iterator files(folder.path());
    EXPECT_EQ(std::distance(begin(files), end(files)), 4);  // checkpoint, curves, lock
  }
}

TEST(Run, AFullDiskIsAnErrorAndTheLastCheckpointStays) {
  TemporaryFolder folder;
  ASSERT_TRUE(RunSmall(Options(folder.path(), 3600), 5).end);
  const std::string before = *ReadFile(folder.path() / "run.safetensors");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{20'000, 20'000};  // bytes of a file: a checkpoint has more
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(2);
    const Outcome outcome = RunSmall(Options(folder.path()));
    const bool said = !outcome.end && outcome.end.error().code == ErrorCode::kIo &&
                      !outcome.end.error().where.empty();
    _exit(said ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(*ReadFile(folder.path() / "run.safetensors"), before);
  EXPECT_EQ(RunSmall(Options(folder.path())).end->resumed_at, 5);
}

TEST(Run, RefusesOtherSettingsAndASecondRunInTheFolder) {
  TemporaryFolder folder;
  ASSERT_TRUE(RunSmall(Options(folder.path(), 3600), 5).end);
  RunOptions other = Options(folder.path());
  other.train.schedule.peak *= 2;
  const Outcome refused = RunSmall(other);
  ASSERT_FALSE(refused.end);
  EXPECT_NE(
      refused.end.error().message.find("other settings (learning-rate was 0.005 and is 0.01)"),
      std::string::npos)
      << refused.end.error().message;

  static const std::vector<Document> documents = SmallDocuments(24);
  auto model = *TrainableDecoder::New(SmallSpec(), {});
  ThreadPool pool(1);
  const std::atomic<bool> stop = true;
  bool seen = false;
  const RunOptions options = Options(folder.path());
  (void)train::Run(
      *model, {documents, {}}, options, stop,
      [&](const RunProgress&) {
        const Outcome second = RunSmall(options);
        seen = !second.end && second.end.error().code == ErrorCode::kUnavailable;
      },
      pool);
  EXPECT_TRUE(seen);
}

// A LoRA run of a model with these weights; its first steps, then the rest.
Result<RunEnd> RunAdapter(const std::filesystem::path& model_folder,
                          const std::filesystem::path& out, LoraOptions lora, int64_t stop_after) {
  const std::vector<Document> documents = SmallDocuments(12);
  const auto checkpoint = *Checkpoint::Open(model_folder);
  ModelOptions options;
  options.lora = std::move(lora);
  auto model = *TrainableDecoder::Load(checkpoint, (*LoadDecoder(model_folder))->spec(), options);
  ThreadPool pool(1);
  std::atomic<bool> stop = false;
  return Run(
      *model, {documents, {}}, Options(out, 3600), stop,
      [&](const RunProgress& p) { stop = p.point.step >= stop_after; }, pool);
}

TEST(Run, RefusesToGoOnWithAnotherBaseOrFewerMatrices) {
  TemporaryFolder place;
  const auto base = place.path() / "base", tuned = place.path() / "tuned";
  for (const auto& folder : {base, tuned}) {
    std::filesystem::create_directory(folder);
    ASSERT_TRUE(WriteFolder(GoldenNamed("llama"), folder, AllAs(DType::kF32)));
  }
  // One bit of the last tensor's last value.
  std::string bytes = *ReadFile(tuned / "model.safetensors");
  bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 1);
  ASSERT_TRUE(WriteFileAtomic(tuned / "model.safetensors", bytes));

  const auto out = place.path() / "out";
  ASSERT_TRUE(RunAdapter(base, out, {}, 3));
  const auto other = RunAdapter(tuned, out, {}, kSteps);
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("another model"), std::string::npos);
  const auto fewer = RunAdapter(base, out, {.targets = {TensorRole::kQuery}}, kSteps);
  ASSERT_FALSE(fewer);
  EXPECT_NE(fewer.error().message.find("other matrices"), std::string::npos);
  const auto same = RunAdapter(base, out, {}, 5);
  ASSERT_TRUE(same) << same.error().ToString();
  EXPECT_EQ(same->resumed_at, 3);
}

TEST(Run, ALossThatIsNoNumberSaysWhatToDo) {
  const auto message = [](float first_value, double rate) {
    TemporaryFolder folder;
    const std::vector<Document> documents = SmallDocuments(24);
    auto model = *TrainableDecoder::New(SmallSpec(), {});
    model->parameters().value(0)[0] = first_value;
    RunOptions options = Options(folder.path(), 3600);
    options.train.schedule.peak = rate;
    options.train.clip = 0;
    ThreadPool pool(1);
    const std::atomic<bool> stop = false;
    const auto end = train::Run(
        *model, {documents, {}}, options, stop, [](const RunProgress&) {}, pool);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "run.safetensors"));
    return end ? std::string() : end.error().message;
  };
  EXPECT_NE(message(std::numeric_limits<float>::quiet_NaN(), 1e-3).find("may be damaged"),
            std::string::npos);
  EXPECT_NE(message(0.1f, 1e38).find("lower learning rate"), std::string::npos);
}

TEST(Run, RoomForACheckpointIsAskedForAtOnce) {
  TemporaryFolder folder;
  EXPECT_TRUE(CheckRoom(folder.path(), 1));
  const auto refused = CheckRoom(folder.path(), 1ull << 62);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
}

TEST(Curve, SurvivesALineCutShort) {
  TemporaryFolder folder;
  const auto file = folder.path() / "curve.jsonl";
  {
    Curve curve = *Curve::Open(file, 0);
    for (int64_t step = 1; step <= 5; ++step) ASSERT_TRUE(curve.Add({.step = step, .loss = 1.5}));
  }
  std::ofstream(file, std::ios::app) << R"({"step":6,"lo)";
  const Curve curve = *Curve::Open(file, 4);
  ASSERT_EQ(curve.points().size(), 4u);
  EXPECT_EQ(curve.points().back().loss, 1.5);
  EXPECT_EQ((*Curve::Open(file, 9)).points().size(), 4u);
}

TEST(Curve, ThePictureHasBothLossesAndStandsWithoutAny) {
  std::vector<CurvePoint> points;
  for (int64_t step = 1; step <= 5000; ++step) {
    points.push_back({.step = step, .loss = 5.0 / static_cast<double>(step)});
  }
  points.back().eval_loss = 2.0;
  const std::string svg = CurveSvg(points);
  EXPECT_LT(svg.size(), 100'000u);
  EXPECT_NE(svg.find("<circle"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_NE(CurveSvg({}).find("</svg>"), std::string::npos);
}

}  // namespace
}  // namespace jikji::train
