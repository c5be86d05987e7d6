// A load on a server, decided before it begins: which requests, of what lengths, when.
//
// Contract: a plan is a function of its options; the same seed asks the same of every server.
#ifndef JIKJI_MEASURE_LOAD_PLAN_H_
#define JIKJI_MEASURE_LOAD_PLAN_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "measure/length_trace.h"

namespace jikji::measure {

struct LoadOptions {
  int64_t requests = 64;
  // Requests per second, arriving as a Poisson process; 0: closed loop, each client asks again as
  // soon as it is answered.
  double rate = 0;
  // Every prompt begins with the same so many tokens, beyond its own length.
  int64_t shared_prefix = 0;
  std::vector<RequestLengths> lengths = {{512, 64}};  // taken in random order, again and again
  uint64_t seed = 1;
};

struct LoadRequest {
  std::vector<int32_t> prompt = {};
  int64_t output = 1;
  std::optional<double> at = {};  // seconds after the start; none in a closed loop
};

// Prompts are drawn from `tokens`, which is not empty.
std::vector<LoadRequest> PlanLoad(const LoadOptions& options, std::span<const int32_t> tokens);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_LOAD_PLAN_H_
