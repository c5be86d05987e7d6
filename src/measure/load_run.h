// Runs a planned load against a server and sums up what its clients saw.
//
// Contract: bounded in time (no request begins after the deadline, those in flight are given up at
// it) and in connections. A request that arrives while all clients are busy waits, and its waiting
// counts: latency is from when it was due, so that a slow server cannot hide behind a slow client.
#ifndef JIKJI_MEASURE_LOAD_RUN_H_
#define JIKJI_MEASURE_LOAD_RUN_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "measure/load_plan.h"
#include "measure/load_target.h"

namespace jikji::measure {

struct LoadLimits {
  size_t clients = 16;  // requests in flight at most
  std::chrono::duration<double> time{240};
};

// `progress`, if given, is called from the clients' threads with how many requests have ended. The
// outcomes of those that never began are errors too.
std::vector<LoadOutcome> RunLoad(const LoadTarget& target, std::span<const LoadRequest> plan,
                                 const LoadLimits& limits,
                                 const std::function<void(size_t done)>& progress = {});

// What a user was promised; goodput counts the requests that got it.
struct ServiceLevel {
  double first_seconds = 2;   // until the first text
  double gap_seconds = 0.25;  // between pieces of text, on average over a request
};

struct Quantiles {
  double p50 = 0, p95 = 0, p99 = 0;
};

// By nearest rank; zeros where there is no value.
Quantiles QuantilesOf(std::vector<double> values);

struct LoadSummary {
  int64_t requests = 0, finished = 0;
  int64_t prompt_tokens = 0, output_tokens = 0, cached_tokens = 0;
  double seconds = 0;  // from the first request to the last answer
  double output_tokens_per_second = 0;
  double requests_per_second = 0;
  double good_requests_per_second = 0;
  double good_share = 0;  // of all requests, failed ones included
  Quantiles first, gap, total;
  std::string error;  // of one that failed
};

LoadSummary Summarise(std::span<const LoadOutcome> outcomes, const ServiceLevel& level);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_LOAD_RUN_H_
