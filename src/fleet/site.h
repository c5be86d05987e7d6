// The state of a site that every decision of fleet/ is made from: what stands where, what it runs,
// and how much of it is in use.
//
// A Snapshot is plain data. Whoever holds it (the router, the simulator) writes into it what it has
// seen; the decisions (Route, Power, Place, Recover) only read it, have no clock and do no I/O, and
// the same snapshot gives the same decision. Things refer to each other by index. Watts and tokens
// are integers, so that sums are exact. Non-goals: how the state is learnt, and how a decision is
// carried out.
#ifndef JIKJI_FLEET_SITE_H_
#define JIKJI_FLEET_SITE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace jikji::fleet {

// In the order in which they give way when watts are short.
enum class ServiceClass : uint8_t { kBatch, kStandard, kPremium };
inline constexpr size_t kServiceClasses = 3;
const char* ServiceClassName(ServiceClass service);

// Korean public-sector grades of data (N2SF): a node may see data up to its own grade.
enum class DataGrade : uint8_t { kOpen, kSensitive, kClassified };

// Only a serving node gets new requests; a draining one finishes those it has.
enum class NodeState : uint8_t { kStarting, kServing, kDraining, kDown };

// A power feed (a utility line or transformer) and what it can carry.
struct Feed {
  int64_t limit_w = 0;
};

// A cooling loop and the heat it can carry away now; a hot day lowers it.
struct CoolingLoop {
  int64_t limit_w = 0;
};

struct Rack {
  int32_t feed = 0;
  int32_t loop = 0;
  int64_t limit_w = 0;
};

// What one GPU of a kind draws. Decode power follows the clock, prefill power the cap.
struct GpuPower {
  int64_t idle_w = 0;
  int64_t floor_w = 0;    // the lowest cap that the driver takes; at least idle_w
  int64_t decode_w = 0;   // in decode, at the full clock
  int64_t prefill_w = 0;  // in prefill, without a cap
  int64_t limit_w = 0;    // the board's own limit
};

struct Model {
  std::string name = {};
  int32_t gpus_per_node = 1;
  double tokens_per_second = 0;     // output of one node at its service level
  int64_t load_seconds = 0;         // from start until it serves
  int64_t adapter_load_tokens = 0;  // loading an absent adapter delays like so many prompt tokens
};

struct Tenant {
  std::string name = {};
  ServiceClass service = ServiceClass::kStandard;
  int64_t weight = 1;  // its share among tenants of its class
  int64_t served = 0;  // tokens served so far
  int64_t queued = 0;  // requests that wait
};

// A group of GPUs that runs one copy of a model behind one address.
struct Node {
  int32_t rack = 0;
  int32_t gpus = 1;
  int32_t power = 0;    // index into gpu_powers
  int64_t other_w = 0;  // processors, switches and fans of its share, drawn while it is on
  int32_t model = -1;   // -1: spare
  NodeState state = NodeState::kServing;
  DataGrade grade = DataGrade::kOpen;
  ServiceClass service = ServiceClass::kStandard;  // the highest class that it serves
  std::vector<int32_t> adapters = {};              // loaded, ascending
};

// What moves with every request; apart from Node so that routing reads little memory.
struct NodeLoad {
  int64_t work = 0;       // tokens of prompt still to compute, and what decode of the active costs
  int64_t prefill = 0;    // of these, tokens of prompt
  int64_t kv_tokens = 0;  // held by active sequences
  int64_t kv_capacity = 0;  // 0: unknown
  int32_t running = 0;
  int32_t waiting = 0;
};

// The serving nodes of one model, with the sum of their work.
struct Pool {
  std::vector<int32_t> nodes;
  int64_t work = 0;
};

struct Snapshot {
  std::vector<Feed> feeds;
  std::vector<CoolingLoop> loops;
  std::vector<Rack> racks;
  std::vector<GpuPower> gpu_powers;
  std::vector<Model> models;
  std::vector<Tenant> tenants;
  std::vector<Node> nodes;
  std::vector<NodeLoad> loads;  // one for each node
  std::vector<Pool> pools;      // one for each model: RebuildPools
};

// Every index in range and no negative watt: an error whose `where` names the field.
Result<> Check(const Snapshot& snapshot);

// Fills `pools` from the nodes that serve. Call it after a node changed its state or model.
void RebuildPools(Snapshot& snapshot);

// Adds to the work of a node and of its pool.
void AddWork(Snapshot& snapshot, int32_t node, int64_t delta);

}  // namespace jikji::fleet

#endif  // JIKJI_FLEET_SITE_H_
