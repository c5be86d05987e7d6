// What streams feel when a long prompt arrives: the time between their tokens, before, beside and
// after it. Their contexts grow meanwhile, and with them what a token costs: `after` is what it
// costs alone at the end.
//
//   long_prompt MODEL [PROMPT_TOKENS] [STREAMS] [SLOWDOWN...]     8192, 4 and "2 0", if not given
//
// For each limit on prompts beside streams (EngineOptions::prefill_slowdown; 0: none), an engine of
// its own: streams run alone for a while, then the prompt comes, ends with its first token, and
// leaves them alone again.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "model/kv_cache.h"
#include "model/model.h"

namespace jikji {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kAlone = 40;  // tokens of each stream before the prompt comes

// Tokens as they come, on the engine's thread.
class Receiver {
 public:
  DeltaSink Sink() {
    return [this](const Delta&) {
      const std::lock_guard lock(mutex_);
      times_.push_back(Clock::now());
      changed_.notify_all();
    };
  }
  void WaitFor(size_t tokens) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return times_.size() >= tokens; });
  }
  std::vector<Clock::time_point> times() const {
    const std::lock_guard lock(mutex_);
    return times_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Clock::time_point> times_;
};

void Submit(Engine& engine, const std::string& id, size_t prompt, int64_t max_tokens,
            Receiver& receiver) {
  std::mt19937 random(static_cast<uint32_t>(std::hash<std::string>()(id)));
  GenerationRequest request;
  request.id = id;
  const auto vocab = static_cast<uint32_t>(engine.model().spec.vocab);
  for (size_t i = 0; i < prompt; ++i) {
    request.prompt.push_back(static_cast<TokenId>(random() % vocab));
  }
  request.max_tokens = max_tokens;
  request.ignore_eos = true;
  auto ticket = LocalPolicy().Admit({.tenant = {},
                                     .prompt_tokens = static_cast<int64_t>(prompt),
                                     .max_output_tokens = max_tokens,
                                     .cache_salt = {}});
  const auto sent = engine.Submit(std::move(*ticket), std::move(request), receiver.Sink());
  if (!sent) {
    std::fprintf(stderr, "%s\n", sent.error().ToString().c_str());
    std::exit(1);
  }
}

double At(std::vector<double> values, double quantile) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[static_cast<size_t>(quantile * static_cast<double>(values.size() - 1))];
}

int Measure(const std::string& path, size_t prompt, size_t streams, double slowdown) {
  auto model = LoadModel(path);
  if (!model) {
    std::fprintf(stderr, "%s\n", model.error().ToString().c_str());
    return 1;
  }
  EngineOptions options;
  options.prefill_slowdown = slowdown;
  options.speculate = 0;  // a stream's tokens come one a step
  options.context = static_cast<int64_t>(prompt) + 1;
  const auto tokens = static_cast<uint64_t>(prompt) * (streams + 1) + 1024;
  options.kv_bytes = KvCache::PageBytes(model->description.spec, 1, options.kv_dtype) * tokens;
  std::vector<Receiver> receivers(streams);  // these hear of the engine's end
  Receiver answer;
  auto engine = Engine::Start(std::move(*model), options);
  if (!engine) {
    std::fprintf(stderr, "%s\n", engine.error().ToString().c_str());
    return 1;
  }
  for (size_t i = 0; i < streams; ++i) {
    Submit(**engine, std::to_string(i), 16, static_cast<int64_t>(prompt) - 16, receivers[i]);
  }
  for (Receiver& receiver : receivers) receiver.WaitFor(kAlone);
  const auto arrival = Clock::now();
  Submit(**engine, "long", prompt, 1, answer);
  answer.WaitFor(1);
  const auto end = answer.times()[0];
  for (Receiver& receiver : receivers) receiver.WaitFor(receiver.times().size() + kAlone);
  std::vector<double> alone, beside, after;
  for (const Receiver& receiver : receivers) {
    const auto times = receiver.times();
    for (size_t i = 1; i < times.size(); ++i) {
      const double gap = std::chrono::duration<double, std::milli>(times[i] - times[i - 1]).count();
      (times[i] < arrival ? alone : times[i] <= end ? beside : after).push_back(gap);
    }
  }
  const double late = At(beside, 0.99);
  std::printf("%8.1f %9.1f %9.1f %9.1f %9.1f %9.1f %10.2f %10.2f %11.1f\n", slowdown,
              At(alone, 0.5), At(beside, 0.5), At(after, 0.5), late, At(beside, 1),
              late / At(alone, 0.5), late / At(after, 0.5),
              std::chrono::duration<double>(end - arrival).count());
  std::fflush(stdout);
  return 0;
}

int Run(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    std::fprintf(stderr, "usage: long_prompt MODEL [PROMPT_TOKENS] [STREAMS] [SLOWDOWN...]\n");
    return 1;
  }
  const size_t prompt = arguments.size() > 1 ? std::stoul(arguments[1]) : 8192;
  const size_t streams = arguments.size() > 2 ? std::stoul(arguments[2]) : 4;
  std::vector<double> slowdowns = {2, 0};
  if (arguments.size() > 3) {
    slowdowns.clear();
    for (size_t i = 3; i < arguments.size(); ++i) slowdowns.push_back(std::stod(arguments[i]));
  }
  std::printf("%zu tokens of prompt beside %zu streams; milliseconds from token to token\n", prompt,
              streams);
  std::printf(
      "slowdown     alone    beside     after       p99      most  p99/alone  p99/after  prompt, "
      "s\n");
  for (const double slowdown : slowdowns) {
    if (Measure(arguments[0], prompt, streams, slowdown) != 0) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace jikji

int main(int argc, char** argv) { return jikji::Run({argv + 1, argv + argc}); }
