#include "measure/load_run.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <thread>

namespace jikji::measure {
namespace {

using Clock = std::chrono::steady_clock;

bool IsGood(const LoadOutcome& outcome, const ServiceLevel& level) {
  if (!outcome.finished || outcome.first > level.first_seconds) return false;
  const double sum = std::accumulate(outcome.gaps.begin(), outcome.gaps.end(), 0.0);
  return outcome.gaps.empty() ||
         sum / static_cast<double>(outcome.gaps.size()) <= level.gap_seconds;
}

}  // namespace

std::vector<LoadOutcome> RunLoad(const LoadTarget& target, std::span<const LoadRequest> plan,
                                 const LoadLimits& limits,
                                 const std::function<void(size_t done)>& progress) {
  std::vector<LoadOutcome> outcomes(plan.size());
  const auto start = Clock::now();
  const auto deadline = start + std::chrono::duration_cast<Clock::duration>(limits.time);
  std::atomic<size_t> next = 0, done = 0;
  const auto client = [&] {
    for (size_t i = next++; i < plan.size(); i = next++) {
      auto due = Clock::now();
      if (plan[i].at) {
        due = start + std::chrono::duration_cast<Clock::duration>(
                          std::chrono::duration<double>(*plan[i].at));
        std::this_thread::sleep_until(std::min(due, deadline));
      }
      outcomes[i] = target.Run(plan[i], due, deadline);
      outcomes[i].began = std::chrono::duration<double>(due - start).count();
      const size_t ended = ++done;
      if (progress) progress(ended);
    }
  };
  {
    std::vector<std::jthread> clients;
    for (size_t i = 0; i < std::min(limits.clients, plan.size()); ++i) clients.emplace_back(client);
  }
  return outcomes;
}

Quantiles QuantilesOf(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(values.size())));
    return values[std::max<size_t>(rank, 1) - 1];
  };
  return {at(0.50), at(0.95), at(0.99)};
}

LoadSummary Summarise(std::span<const LoadOutcome> outcomes, const ServiceLevel& level) {
  LoadSummary summary;
  summary.requests = static_cast<int64_t>(outcomes.size());
  std::vector<double> first, gaps, total;
  int64_t good = 0;
  double begin = INFINITY, end = 0;
  for (const LoadOutcome& outcome : outcomes) {
    begin = std::min(begin, outcome.began);
    end = std::max(end, outcome.began + outcome.total);
    if (!outcome.finished) {
      if (summary.error.empty()) summary.error = outcome.error;
      continue;
    }
    ++summary.finished;
    good += IsGood(outcome, level) ? 1 : 0;
    summary.prompt_tokens += outcome.prompt_tokens;
    summary.output_tokens += outcome.output_tokens;
    summary.cached_tokens += outcome.cached_tokens;
    first.push_back(outcome.first);
    total.push_back(outcome.total);
    gaps.insert(gaps.end(), outcome.gaps.begin(), outcome.gaps.end());
  }
  if (end > begin) {
    summary.seconds = end - begin;
    summary.output_tokens_per_second = static_cast<double>(summary.output_tokens) / summary.seconds;
    summary.requests_per_second = static_cast<double>(summary.finished) / summary.seconds;
    summary.good_requests_per_second = static_cast<double>(good) / summary.seconds;
    summary.good_share = static_cast<double>(good) / static_cast<double>(summary.requests);
  }
  summary.first = QuantilesOf(std::move(first));
  summary.gap = QuantilesOf(std::move(gaps));
  summary.total = QuantilesOf(std::move(total));
  return summary;
}

}  // namespace jikji::measure
