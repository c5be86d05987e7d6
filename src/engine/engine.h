// The engine: requests to tokens, many at a time, on one thread that schedules and steps. Where the
// decoder computes on a device, the next step is planned, and the receivers are told of the last,
// while one is computed.
//
// Each step runs a batch of {sequence: tokens}: prompts in chunks within a token budget, running
// sequences one token each, or more where guesses at the next ones came true. The KV cache is
// counted at start and never grows; where running sequences outgrow it, the last in rank is put
// back to the queue, and goes on later with the same tokens. Contract: promise 1 (same tokens),
// promise 2 (a Ticket or nothing), promise 7 (Health tells of steps).
#ifndef JIKJI_ENGINE_ENGINE_H_
#define JIKJI_ENGINE_ENGINE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "engine/request.h"
#include "engine/ticket.h"
#include "model/model.h"

namespace jikji {

// More seldom come true together, and past 8 rows a step of one stream costs in proportion.
inline constexpr int32_t kMostDrafts = 4;

struct EngineOptions {
  size_t threads = 0;   // of the kernels; 0: UsableCores()
  int64_t context = 0;  // tokens of one sequence; 0: the model's own, as far as kv_bytes allow
  uint64_t kv_bytes = 1ull << 30;  // of the KV cache; at least one sequence of `context` must fit
  DType kv_dtype = DType::kF16;
  int32_t page_tokens = 16;
  int32_t max_running = 64;   // sequences decoded together
  int32_t step_tokens = 256;  // token budget of one step
  size_t max_queued = 256;    // requests waiting; past it kUnavailable
  // Prompts may make a step of running sequences so many times as long; 0: without limit. 2 keeps
  // the slowest percent below three times the median where the machine is noisy, and leaves prompts
  // half of the time.
  double prefill_slowdown = 2;
  // Drafts of a sequence's next tokens that a step may check; 0: none. They change no token.
  int32_t speculate = kMostDrafts;
  bool prefix_cache = true;  // pages are shared between requests that begin alike
  // For tests of promise 1: if set, what a draft costs (StepCost::RowShare), and how many tokens of
  // a prompt (1..limit) the next step takes.
  std::optional<double> row_share_override = {};
  std::function<int32_t(int32_t limit)> chunk_override = {};
};

// When the stages of one choice of a request ended, for metrics. A choice that ended before it
// started, or before its first token, has the end in their place.
struct RequestTimes {
  std::chrono::steady_clock::time_point arrived, started, first_token, finished;
};

// For metrics: choices that wait and run, pages, and counts since start. What a request held is
// given back before its last delta is heard.
struct EngineStats {
  int64_t waiting = 0, running = 0;
  int64_t pages_used = 0, pages_total = 0;
  int64_t steps = 0, prompt_tokens = 0, generation_tokens = 0;
  int64_t steps_ahead = 0;  // steps that were planned while the one before them was computed
  int64_t preemptions = 0;
  int64_t draft_tokens = 0, accepted_tokens = 0;  // checked by speculation, and right
  int64_t prefix_queries = 0, prefix_hits = 0;  // prompt tokens looked for in the cache, and found
};

struct EngineHealth {
  bool healthy = false;
  std::string reason;  // why not
};

class Engine {
 public:
  // Takes the model and starts the thread.
  static Result<std::unique_ptr<Engine>> Start(Model model, EngineOptions options);

  // Ends every request with kCancelled, then stops the thread.
  virtual ~Engine() = default;

  virtual const ModelDescription& model() const = 0;
  virtual const EngineOptions& options() const = 0;  // as resolved: context and threads filled in

  // Queues a request; `sink` hears of it until each choice has finished. kInvalidArgument: the
  // request does not fit the ticket, the context or the vocabulary, or its id is in flight;
  // kUnavailable: queue full or draining, or the device is lost. A sink that throws is heard no
  // more and its request leaves. Thread-safe.
  virtual Result<> Submit(Ticket ticket, GenerationRequest request, DeltaSink sink) = 0;

  // The request leaves before the next step; its choices finish with kCancelled. Unknown ids are
  // ignored. Thread-safe.
  virtual void Cancel(const std::string& id) = 0;

  // Refuses new requests from now on.
  virtual void StopAdmission() = 0;

  virtual EngineStats stats() const = 0;
  // Healthy: the thread runs, no device is lost, and where there is work, a step ended within the
  // last `limit`.
  virtual EngineHealth Health(std::chrono::milliseconds limit) const = 0;

  // Called on the engine's thread, before the deltas they tell of: `step` with the tokens of each
  // step, `finished` once for each choice, the others in seconds: from arrival to a choice's first
  // token, and from one token to the next. Set before the first Submit.
  struct Observer {
    std::function<void(int64_t tokens)> step = {};
    std::function<void(const RequestTimes&, FinishReason, int64_t prompt_tokens,
                       int64_t output_tokens)>
        finished = {};
    std::function<void(double seconds)> inter_token = {};
    std::function<void(double seconds)> first_token = {};
  };
  virtual void SetObserver(Observer observer) = 0;
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_ENGINE_H_
