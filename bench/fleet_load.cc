// Load for bench/twin_fidelity.py and bench/route_nodes.py, which say what it is for.
//
//   fleet_load measure URL                    one node, alone: JSON lines of closed loops, which a
//                                             step model is fitted to
//   fleet_load replay URL TRACE BLOCK_TOKENS TTFT_S TPOT_S
//                                             a trace (Mooncake's format, twin/trace.h), each
//                                             request at its time: JSON of what clients saw
//
// A block of the trace stands for so many tokens of prompt, the same for the same block.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "fleet/prefix.h"
#include "measure/load_run.h"
#include "twin/trace.h"

namespace jikji {
namespace {

using measure::LoadOutcome;

template <class T>
T OrExit(Result<T> result) {
  if (result) return *std::move(result);
  fmt::print(stderr, "{}\n", result.error().ToString());
  std::exit(1);
}

// A node or a router that answers; a node's tokens to make prompts of.
measure::LoadTarget Open(const std::string& url) {
  return OrExit(measure::LoadTarget::Open(url, ""));
}

double SecondsPerToken(const LoadOutcome& outcome) {
  if (outcome.output_tokens < 2) return 0;
  return (outcome.total - outcome.first) / static_cast<double>(outcome.output_tokens - 1);
}

std::vector<LoadOutcome> Run(const measure::LoadTarget& target,
                             const std::vector<measure::LoadRequest>& plan, size_t clients) {
  std::vector<LoadOutcome> outcomes = measure::RunLoad(target, plan, {.clients = clients});
  for (const LoadOutcome& outcome : outcomes) {
    if (outcome.finished) continue;
    fmt::print(stderr, "a request failed: {}\n", outcome.error);
    std::exit(1);
  }
  return outcomes;
}

// Of one client, a request comes when the node has been idle for a while, as in the load that is to
// be foretold; of several, as soon as another ends.
struct Loop {
  size_t clients;
  int64_t prompt, output, requests;
};
// A request counts from when it is due, so the gap must be longer than any takes on this machine.
constexpr double kIdle = 0.05;  // seconds, beside what the first of a loop took

void Measure(const std::string& url) {
  const measure::LoadTarget target = Open(url);
  // Prompts alone; contexts alone; and sequences side by side, with prompts so short that they
  // take next to nothing from each other.
  const Loop loops[] = {{1, 32, 2, 12},   {1, 128, 2, 12}, {1, 256, 2, 12}, {1, 512, 2, 12},
                        {1, 1024, 2, 12}, {1, 1800, 2, 8}, {1, 32, 96, 12}, {1, 512, 96, 12},
                        {1, 1600, 96, 8}, {2, 32, 96, 24}, {4, 32, 96, 48}, {8, 32, 96, 96}};
  uint64_t seed = 1;
  Run(target, measure::PlanLoad({.requests = 4, .lengths = {{256, 64}}}, target.tokens()), 1);
  for (const Loop& loop : loops) {
    auto plan = measure::PlanLoad(
        {.requests = loop.requests, .lengths = {{loop.prompt, loop.output}}, .seed = ++seed},
        target.tokens());
    if (loop.clients == 1) {
      const auto warm = Run(target, {plan.front()}, 1);
      for (size_t i = 0; i < plan.size(); ++i) {
        plan[i].at = (kIdle + 1.25 * warm.front().total) * static_cast<double>(i);
      }
      plan.erase(plan.begin());  // its prompt is cached by now
    }
    const auto outcomes = Run(target, plan, loop.clients);
    std::vector<double> first, gaps, tpot;
    for (const LoadOutcome& outcome : outcomes) {
      first.push_back(outcome.first);
      tpot.push_back(SecondsPerToken(outcome));
      gaps.insert(gaps.end(), outcome.gaps.begin(), outcome.gaps.end());
    }
    fmt::print(
        R"({{"clients": {}, "prompt": {}, "output": {}, "first_s": {:.6f}, "gap_s": {:.6f}, "tpot_s": {:.6f}}})"
        "\n",
        loop.clients, loop.prompt, loop.output, measure::QuantilesOf(first).p50,
        measure::QuantilesOf(gaps).p50, measure::QuantilesOf(tpot).p50);
  }
}

std::vector<measure::LoadRequest> PlanOf(const twin::Trace& trace, size_t block_tokens,
                                         const std::vector<int32_t>& tokens) {
  std::vector<measure::LoadRequest> plan;
  for (const twin::TraceRequest& request : trace.requests) {
    measure::LoadRequest planned{.output = request.output, .at = request.time};
    const auto fill = [&](uint64_t seed, size_t count) {
      for (size_t i = 0; i < count; ++i) {
        planned.prompt.push_back(tokens[fleet::Chain(seed, i) % tokens.size()]);
      }
    };
    for (uint32_t i = request.blocks_begin; i < request.blocks_end; ++i) {
      fill(trace.blocks[i], std::min(block_tokens, request.prompt - planned.prompt.size()));
    }
    // What no block covers is the request's own.
    fill(~plan.size(), request.prompt - planned.prompt.size());
    plan.push_back(std::move(planned));
  }
  return plan;
}

void Replay(const std::string& url, const char* path, size_t block_tokens, double ttft_s,
            double tpot_s) {
  const twin::Trace trace = OrExit(twin::ReadTrace(path));
  const measure::LoadTarget target = Open(url);
  const auto plan = PlanOf(trace, block_tokens, target.tokens());
  constexpr size_t kClients = 256;
  const auto outcomes = measure::RunLoad(target, plan, {.clients = kClients});
  std::vector<double> first, tpot, total;
  int64_t finished = 0, good = 0, output = 0, prompt = 0, cached = 0;
  double end = 0;
  for (const LoadOutcome& outcome : outcomes) {
    end = std::max(end, outcome.began + outcome.total);
    if (!outcome.finished) continue;
    ++finished;
    first.push_back(outcome.first);
    tpot.push_back(SecondsPerToken(outcome));
    total.push_back(outcome.total);
    good += outcome.first <= ttft_s && tpot.back() <= tpot_s;
    output += outcome.output_tokens;
    prompt += outcome.prompt_tokens;
    cached += outcome.cached_tokens;
  }
  const auto pair = [](std::vector<double> values) {
    const measure::Quantiles quantiles = measure::QuantilesOf(std::move(values));
    return fmt::format("[{:.6f}, {:.6f}]", quantiles.p50, quantiles.p95);
  };
  fmt::print(
      R"({{"requests": {}, "finished": {}, "good": {}, "seconds": {:.3f}, "output_tokens": {}, )"
      R"("prompt_tokens": {}, "cached_tokens": {}, "ttft_s": {}, "tpot_s": {}, "latency_s": {}}})"
      "\n",
      outcomes.size(), finished, good, end, output, prompt, cached, pair(first), pair(tpot),
      pair(total));
}

}  // namespace
}  // namespace jikji

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "measure" && argc == 3) {
    jikji::Measure(argv[2]);
  } else if (mode == "replay" && argc == 7) {
    jikji::Replay(argv[2], argv[3], static_cast<size_t>(std::max(1, std::atoi(argv[4]))),
                  std::atof(argv[5]), std::atof(argv[6]));
  } else {
    std::fprintf(stderr, "fleet_load measure URL | replay URL TRACE BLOCK_TOKENS TTFT_S TPOT_S\n");
    return 2;
  }
  return 0;
}
