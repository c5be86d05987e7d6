#include "app/train_console.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

#include "app/console.h"

namespace jikji {
namespace {

constexpr auto kBetweenDrawings = std::chrono::milliseconds(200);
constexpr auto kBetweenLines = std::chrono::seconds(10);

double Megabytes(uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

// Bytes of memory that the process has; 0 where the system does not say.
uint64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// Bytes that a new process can have; the largest number where the system does not say.
uint64_t AvailableBytes() {
  std::ifstream file("/proc/meminfo");
  for (std::string key; file >> key;) {
    uint64_t kib = 0;
    if (key == "MemAvailable:" && file >> kib) return kib << 10;
  }
  return UINT64_MAX;
}

std::string Duration(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  if (whole < 60) return fmt::format("{}{}", whole, Say(" s", "초"));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace

void PrintRefused(const train::Samples& samples) {
  for (const auto& [reason, refused] : samples.refused) {
    fmt::print(stderr, "{} {}: {} ({}{})\n", Say("refused", "거절"), refused.count, reason,
               fmt::join(refused.places, ", "),
               std::cmp_greater(refused.count, refused.places.size()) ? ", ..." : "");
  }
}

void PrintPreflight(const train::Preflight& seen) {
  fmt::print(
      fmt::runtime(Say("data: {} documents, {} tokens, {} of them trained on, the longest {}\n",
                       "자료: 문서 {}개, 토큰 {}개, 그중 학습 {}개, 가장 긴 문서 {}토큰\n")),
      seen.documents, seen.tokens, seen.targets, seen.longest);
  fmt::print("{}\n{}\n", Say("an example, trained on between ⟦ and ⟧:", "예시. ⟦ ⟧ 사이를 학습함:"),
             seen.example);
}

Result<> CheckMemory(const train::MemoryPlan& plan) {
  fmt::print(fmt::runtime(
                 Say("memory: {:.0f} MB = {:.0f} trained ({} values) + {:.0f} frozen + "
                     "{:.0f} activations\n",
                     "메모리: {:.0f} MB = 학습 {:.0f} (값 {}개) + 고정 {:.0f} + 활성값 {:.0f}\n")),
             Megabytes(plan.total()), Megabytes(plan.trained_bytes), plan.trained_values,
             Megabytes(plan.frozen_bytes), Megabytes(plan.activation_bytes));
  std::fflush(stdout);
  const uint64_t available = AvailableBytes();
  if (plan.total() <= available) return {};
  return Fail(ErrorCode::kResourceExhausted,
              fmt::format("the run needs {:.0f} MB, and {:.0f} are free: lower --batch-tokens, or "
                          "give --recompute, --lora-rank or --base-type",
                          Megabytes(plan.total()), Megabytes(available)));
}

void PrintShort(int64_t steps) {
  constexpr int64_t kFew = 10;
  if (steps >= kFew) return;
  fmt::print(
      fmt::runtime(Say("steps of the run: {}; so little data needs more --epochs, or fewer "
                       "--batch-tokens\n",
                       "스텝이 {}번뿐입니다. 자료가 적으면 --epochs를 늘리거나 --batch-tokens를 "
                       "줄이세요\n")),
      steps);
}

void PrintResumed(int64_t step) {
  fmt::print(fmt::runtime(Say("goes on after step {}\n", "{} 스텝 뒤부터 이어 갑니다\n")), step);
  std::fflush(stdout);
}

std::string ProgressLine(const train::RunProgress& p) {
  std::string line = fmt::format("{} {}/{}  {} {:.4f}", Say("step", "스텝"), p.point.step, p.steps,
                                 Say("loss", "손실"), p.point.loss);
  if (p.point.eval_loss)
    line += fmt::format("  {} {:.4f}", Say("eval", "평가"), *p.point.eval_loss);
  return line + fmt::format("  {:.0f} {}  {:.0f} MB  {} {}", p.tokens_per_second,
                            Say("tokens/s", "토큰/s"), Megabytes(ResidentBytes()),
                            Duration(p.seconds_left), Say("left", "남음"));
}

void TrainProgress::Show(const train::RunProgress& p) {
  const bool terminal = isatty(STDERR_FILENO) == 1;
  const auto now = std::chrono::steady_clock::now();
  const bool last = p.point.step == p.steps;
  const auto between = terminal ? std::chrono::steady_clock::duration(kBetweenDrawings)
                                : std::chrono::steady_clock::duration(kBetweenLines);
  if (!last && !p.point.eval_loss && last_.time_since_epoch().count() != 0 && now - last_ < between)
    return;
  last_ = now;
  const std::string line = ProgressLine(p);
  // What is kept in sight: an evaluation's line stays.
  fmt::print(stderr, "{}{}{}", terminal ? "\r" : "", line,
             terminal && !p.point.eval_loss ? "\x1b[K" : "\n");
  drawn_ = terminal && !p.point.eval_loss;
}

void TrainProgress::End() {
  if (drawn_) fmt::print(stderr, "\n");
}

}  // namespace jikji
