// Many nodes that batch continuously: requests wait, are prefilled in chunks beside the running
// ones, decode together, and end.
//
// Between two events of a node every running sequence gets tokens at the same rate, so the model
// jumps from event to event: how far a sequence is, is the node's own count of steps since it
// joined. Rates follow StepModel with the batch and cache as they were at the last event. A
// sequence starts only where its whole length fits the KV cache, so none is ever preempted: real
// engines start more and preempt a few. Each call is of one node; time never goes back. Non-goals:
// routing, prefix caches (the caller tells how much of a prompt is left to compute).
#ifndef JIKJI_TWIN_REPLICAS_H_
#define JIKJI_TWIN_REPLICAS_H_

#include <cstdint>
#include <vector>

#include "twin/fifo.h"
#include "twin/step_model.h"

namespace jikji::twin {

struct EngineModel {
  StepModel step;
  int32_t max_running = 256;
  int64_t kv_tokens = 1 << 20;  // the KV cache holds so many
  int32_t chunk_tokens = 2048;  // of a step with prefill, at most
  // Prompts may make a step of running sequences so many times as long (`jikji serve
  // --prefill-slowdown`); 0: as long as they like.
  double prefill_slowdown = 0;
  // Of a request, before and beside all steps: network, reading, tokenising. Delays its answer and
  // occupies nothing.
  double request_s = 0;
};

class Replicas {
 public:
  Replicas(size_t nodes, const EngineModel& engine);

  struct Request {
    uint32_t id = 0;
    uint32_t uncached = 0;  // tokens of prompt to compute, at least 1
    uint32_t prompt = 0;
    uint32_t output = 1;
  };
  void Add(uint32_t node, double now, const Request& request);

  double NextTime(uint32_t node) const { return nodes_[node].next; }

  // Begins to fetch what is known of a node.
  void Prefetch(uint32_t node) const {
    const auto* bytes = reinterpret_cast<const char*>(&nodes_[node]);
    for (size_t at = 0; at < sizeof(Node); at += 64) __builtin_prefetch(bytes + at, 1);
  }

  struct Event {
    enum class Kind : uint8_t { kFirstToken, kFinished };
    Kind kind = Kind::kFirstToken;
    uint32_t id = 0;
    bool also_finished = false;  // an answer of one token
  };
  // The event at NextTime, which must be finite.
  Event Step(uint32_t node);

  // From now on: 1 is full speed.
  void SetSpeed(uint32_t node, double now, double decode, double prefill);

  // The node fails: it is empty. `waiting` gets those without a first token, `running` the others.
  void Drop(uint32_t node, double now, std::vector<uint32_t>& waiting,
            std::vector<uint32_t>& running);

  struct Busy {
    double prefill_s = 0;
    double decode_s = 0;
    double output_tokens = 0;
  };
  // Since it was last taken.
  Busy TakeBusy(uint32_t node, double now);

  template <class Stream>
  void Exchange(Stream& stream) {
    for (Node& node : nodes_) {
      stream.Plain(static_cast<NodeNumbers&>(node));
      stream.List(node.running);
      node.waiting.Exchange(stream);
    }
  }

  int32_t Running(uint32_t node) const { return static_cast<int32_t>(nodes_[node].running.size()); }
  int32_t Waiting(uint32_t node) const { return static_cast<int32_t>(nodes_[node].waiting.size()); }

 private:
  struct RunningRequest {
    double end;  // the node's step count at which it has all its tokens
    uint32_t id;
    uint32_t tokens;  // prompt and output
  };
  struct NodeNumbers {
    double now = 0;
    double next = 0;
    double steps = 0;     // decode steps since the beginning
    double left = 0;      // of the prompts being computed
    double prompt_s = 0;  // for each of these
    double kv = 0;        // tokens of running sequences
    double reserved = 0;  // and what they will come to
    double decode_rate = 0, prefill_rate = 0;
    double decode_speed = 1, prefill_speed = 1;
    uint32_t prefilling = 0;  // so many of the front of `waiting`, together
    Busy busy;
  };
  struct Node : NodeNumbers {
    std::vector<RunningRequest> running;  // a heap: the first to end in front
    Fifo<Request> waiting;
  };

  void Advance(Node& node, double now) const;
  // Starts prefilling what fits one chunk and the cache.
  void StartPrefill(Node& node) const;
  // Starts what can start, and sets rates and the next event.
  void Plan(Node& node) const;

  EngineModel engine_;
  std::vector<Node> nodes_;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_REPLICAS_H_
