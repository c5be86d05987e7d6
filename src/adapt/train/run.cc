#include "adapt/train/run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/file.h"

namespace jikji::train {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double Since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Held for as long as the object lives; the system lets go of it however the process ends.
class FolderLock {
 public:
  static Result<FolderLock> Take(const fs::path& folder) {
    const fs::path file = folder / "lock";
    FolderLock lock(open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644));
    if (lock.fd_ < 0) {
      return Fail(ErrorCode::kIo, fmt::format("cannot create: {}", std::strerror(errno)),
                  file.string());
    }
    if (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
      return Fail(ErrorCode::kUnavailable, "another run is at work in this folder",
                  folder.string());
    }
    return lock;
  }
  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock() {
    if (fd_ >= 0) close(fd_);
  }

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

// What a process that was killed left half written. Under the lock.
void RemoveRemains(const fs::path& folder) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    for (const std::string_view whole : {"run.safetensors.", "curve.jsonl.", "curve.svg."}) {
      if (name.starts_with(whole)) fs::remove(entry.path(), ignored);
    }
  }
}

class Runner {
 public:
  Runner(TrainableDecoder& model, const RunData& data, const RunOptions& options, ThreadPool& pool)
      : model_(model),
        data_(data),
        options_(options),
        pool_(pool),
        trainer_(model, data.train, options.train, pool),
        identity_{SettingsLine(options), fmt::format("{:016x}", Fingerprint(data.train)),
                  model.checkpoint() == nullptr
                      ? "new"
                      : fmt::format("{:016x}", Fingerprint(*model.checkpoint()))} {}

  Result<RunEnd> Go(const std::atomic<bool>& stop,
                    const std::function<void(const RunProgress&)>& on_step) {
    JIKJI_ASSIGN(const int64_t resumed_at, Resume());
    JIKJI_ASSIGN(Curve curve, Curve::Open(options_.folder / "curve.jsonl", resumed_at));
    const Clock::time_point start = Clock::now();
    Clock::time_point saved = start;
    const int64_t tokens_before = trainer_.state().tokens;
    while (!trainer_.done()) {
      const StepReport step = trainer_.Step();
      if (!std::isfinite(step.loss) || !std::isfinite(step.gradient_norm)) {
        return Fail(ErrorCode::kInvalidArgument, NotANumber(step));
      }
      const TrainState& state = trainer_.state();
      CurvePoint point{.step = step.step,
                       .loss = step.loss,
                       .eval_loss = EvaluateAt(step.step),
                       .learning_rate = step.learning_rate,
                       .gradient_norm = step.gradient_norm,
                       .tokens = state.tokens,
                       .seconds = Since(start)};
      JIKJI_RETURN_IF_ERROR(curve.Add(point));
      const double steps_done = static_cast<double>(step.step - resumed_at);
      on_step(
          {.point = point,
           .curve = curve.points(),
           .steps = options_.train.schedule.steps,
           .tokens_per_second = static_cast<double>(state.tokens - tokens_before) / point.seconds,
           .seconds_left = point.seconds / steps_done *
                           static_cast<double>(options_.train.schedule.steps - step.step),
           .resumed_at = resumed_at});
      const bool stopping = stop.load(std::memory_order_relaxed);
      if (stopping || trainer_.done() || Since(saved) >= options_.checkpoint_seconds) {
        JIKJI_RETURN_IF_ERROR(Save(curve));
        saved = Clock::now();
      }
      if (stopping) break;
    }
    return RunEnd{trainer_.done(), trainer_.state(), resumed_at};
  }

 private:
  fs::path CheckpointFile() const { return options_.folder / "run.safetensors"; }

  // With other settings no run goes on, so there is no way back to the checkpoint.
  std::string NotANumber(const StepReport& step) const {
    return fmt::format("step {} is lost, its {} is not a number: {}", step.step,
                       std::isfinite(step.loss) ? "gradient" : "loss",
                       step.step == 1
                           ? "the model's weights may be damaged"
                           : "begin anew in another output folder with a lower learning rate");
  }

  // The step of the checkpoint, or 0.
  Result<int64_t> Resume() {
    std::error_code ignored;
    if (!fs::exists(CheckpointFile(), ignored)) return 0;
    JIKJI_ASSIGN(const TrainState state, LoadRun(CheckpointFile(), model_.parameters(), identity_));
    trainer_.Restore(state);
    return state.step;
  }

  Result<> Save(const Curve& curve) {
    JIKJI_RETURN_IF_ERROR(
        SaveRun(CheckpointFile(), model_.parameters(), trainer_.state(), identity_));
    return WriteFileAtomic(options_.folder / "curve.svg", CurveSvg(curve.points()));
  }

  std::optional<double> EvaluateAt(int64_t step) {
    const bool wanted =
        options_.evaluate_every > 0 && (step % options_.evaluate_every == 0 || trainer_.done());
    if (!wanted) return std::nullopt;
    return Evaluate(model_, data_.held_out, options_.train.batch_rows, pool_);
  }

  TrainableDecoder& model_;
  RunData data_;
  const RunOptions& options_;
  ThreadPool& pool_;
  Trainer trainer_;
  RunIdentity identity_;
};

}  // namespace

Result<> CheckRoom(const fs::path& folder, uint64_t bytes) {
  std::error_code unknown;
  const fs::space_info space = fs::space(folder, unknown);
  if (unknown || space.available >= bytes) return {};
  return Fail(ErrorCode::kIo,
              fmt::format("there is no room for a checkpoint of {} MB: {} MB are free",
                          bytes / 1'000'000 + 1, space.available / 1'000'000),
              folder.string());
}

Result<RunEnd> Run(TrainableDecoder& model, const RunData& data, const RunOptions& options,
                   const std::atomic<bool>& stop,
                   const std::function<void(const RunProgress&)>& on_step, ThreadPool& pool) {
  std::error_code error;
  fs::create_directories(options.folder, error);
  if (error) {
    return Fail(ErrorCode::kIo, fmt::format("cannot make the folder: {}", error.message()),
                options.folder.string());
  }
  JIKJI_ASSIGN(const FolderLock lock, FolderLock::Take(options.folder));
  RemoveRemains(options.folder);
  // Value and two moments; known now rather than at the first checkpoint.
  JIKJI_RETURN_IF_ERROR(
      CheckRoom(options.folder, 3 * sizeof(float) * model.parameters().values().size()));
  return Runner(model, data, options, pool).Go(stop, on_step);
}

std::optional<double> Evaluate(TrainableDecoder& model, std::span<const Document> documents,
                               int64_t batch_rows, ThreadPool& pool) {
  double loss = 0.0;
  int64_t targets = 0;
  Batch batch;
  const auto flush = [&] {
    loss += model.Loss(batch, pool);
    targets += batch.target_count();
    batch = {};
  };
  for (const Document& document : documents) {
    const auto rows = static_cast<int64_t>(document.tokens.size()) - 1;
    if (batch.rows() > 0 && batch.rows() + rows > batch_rows) flush();
    batch.Append(document);
  }
  flush();
  if (targets == 0) return std::nullopt;
  return loss / static_cast<double>(targets);
}

std::string SettingsLine(const RunOptions& options) {
  const TrainOptions& t = options.train;
  return fmt::format(
      "{} steps={} warmup={} lr={} floor={} rows={} accumulate={} clip={} betas={},{} eps={} "
      "decay={} seed={}",
      options.settings, t.schedule.steps, t.schedule.warmup, t.schedule.peak, t.schedule.floor,
      t.batch_rows, t.accumulate, t.clip, t.beta1, t.beta2, t.eps, t.weight_decay, t.seed);
}

}  // namespace jikji::train
