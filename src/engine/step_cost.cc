#include "engine/step_cost.h"

#include <algorithm>
#include <limits>

namespace jikji {
namespace {

// Prompts go on, however dear a row is: at 8,192 positions it may cost as much as a step of
// streams.
constexpr int32_t kLeastTokens = 1;
// Where a row's cost is not known yet.
constexpr int32_t kFirstTokens = 4;
// Every so many steps beside prompts, streams run alone: their contexts grow and some end, and what
// they cost alone must stay true. A step alone is the shorter, so this costs prompts some 3 %.
constexpr int32_t kAloneEvery = 16;
// Of a row's measured cost, what one step counts for.
constexpr double kNews = 0.25;
// Rows that a step takes in the time of reading the weights, where it is not measured: between Q4_0
// (4) and Q8_0 or BF16 (8) on CPUs.
constexpr double kFreeRows = 6;

}  // namespace

// The median, which a step that the system interrupted does not move; corrected for streams that
// came or went since.
double StepCost::Alone(int32_t streams) const {
  std::array<double, kWindow> sorted = alone_;
  const auto end = sorted.begin() + static_cast<ptrdiff_t>(std::min(alone_count_, kWindow));
  std::sort(sorted.begin(), end);
  const double median = sorted[static_cast<size_t>(end - sorted.begin()) / 2];
  return std::max(median + row_ * (streams - alone_streams_), median / 4);
}

int32_t StepCost::PromptTokens(int32_t streams) const {
  if (slowdown_ == 0) return std::numeric_limits<int32_t>::max();
  if (!known() || beside_ >= kAloneEvery) return 0;
  if (row_ == 0) return kFirstTokens;
  const double most = (slowdown_ - 1) * Alone(streams) / row_;
  // No sooner than by doubling, so that one lucky measurement does not stall the streams.
  return std::max(kLeastTokens,
                  static_cast<int32_t>(std::min(most, 2.0 * std::max(last_others_, kFirstTokens))));
}

double StepCost::RowShare(int32_t streams) const {
  if (beside_ >= kAloneEvery) return 1;
  if (!known() || row_ == 0) return streams / (kFreeRows + streams);
  return row_ * streams / Alone(streams);
}

void StepCost::Observe(int32_t streams, int32_t others, double seconds) {
  if (streams == 0) return;
  if (others == 0) {
    alone_[alone_count_++ % kWindow] = seconds;
    alone_streams_ = streams;
    beside_ = 0;
    return;
  }
  ++beside_;
  last_others_ = others;
  if (!known()) return;
  // A row that seems to cost nothing is noise.
  const double alone = Alone(streams);
  const double row = std::max(seconds - alone, alone / 1024) / others;
  row_ = row_ == 0 ? row : row_ + kNews * (row - row_);
}

}  // namespace jikji
