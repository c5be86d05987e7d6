// Who may draw how many watts: Power(snapshot, demands, envelope), a pure function.
//
// Every node gets a grant, and the grants under the site, each feed, each cooling loop and each
// rack never add up to more than its limit. A grant is enforced by the GPUs themselves: prefill,
// which draws all it can, is held by the power cap; decode, which never reaches a cap since it
// waits for memory, is held by locking its clock (arXiv 2605.11999). Watts go to classes in order:
// premium is filled before standard, standard before batch, and within a class everyone gets the
// same share of what it wants (progressive filling over the tree of limits). Whoever cannot have
// even the lowest cap is switched off. Non-goals: the milliseconds until a driver obeys (keep a
// reserve for them), and what cooling costs (the envelope is of the racks, the meter's is the
// caller's).
#ifndef JIKJI_FLEET_POWER_H_
#define JIKJI_FLEET_POWER_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "fleet/site.h"

namespace jikji::fleet {

struct Envelope {
  int64_t site_w = 0;        // what all racks may draw together, now
  int64_t reserve_w = 0;     // of it, never granted
  bool defer_batch = false;  // the tariff is high or the grid called: batch waits
  bool save_energy = true;   // lock decode clocks where latency allows, though watts are free
};

// How busy a node would be with each class, in thousandths of its full rate; together at most 1000.
struct NodeDemand {
  std::array<int32_t, kServiceClasses> permille{};
  bool prefill = true;  // some of it is prefill
  // Of that, what is asked of it these minutes. Watts are shared out for all of it, so that bursts
  // run at full speed; a class is refused for what is asked only.
  int32_t asked_permille = 1000;
};

struct NodePower {
  bool on = false;
  int64_t grant_w = 0;            // the most that it draws, all of it
  int64_t gpu_cap_w = 0;          // of each GPU
  int32_t clock_permille = 1000;  // of the full clock, in decode
};

struct PowerPlan {
  std::vector<NodePower> nodes;
  std::array<int64_t, kServiceClasses> wanted_w{};
  std::array<int64_t, kServiceClasses> granted_w{};
  int64_t total_w = 0;
  // For classes below this one, less than a tenth of their demand is left of what the nodes can do
  // under their caps, once the classes above are served: their requests are refused, with the
  // reason. Premium alone is never told so.
  ServiceClass serve_from = ServiceClass::kBatch;
};

// `demands`: one for each node. The snapshot has passed Check.
PowerPlan Power(const Snapshot& site, std::span<const NodeDemand> demands,
                const Envelope& envelope);

// What one GPU draws in decode with its clock locked at `permille` of the full one: its dynamic
// part falls with the square of the clock, since voltage falls along with it over the upper half of
// the range, and memory, which is most of decode, does not slow down.
int64_t DecodeWatts(const GpuPower& power, int32_t permille);

}  // namespace jikji::fleet

#endif  // JIKJI_FLEET_POWER_H_
