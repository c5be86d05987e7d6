// How many nodes to start and which to end, so that as many serve as are wanted: Keep(), a pure
// function over what a launcher (Slurm) tells of the nodes it runs.
//
// A node that leaves (its machine is to be emptied) goes on serving until its replacement runs.
// Non-goals: which models (place.h), where (the launcher's).
#ifndef JIKJI_FLEET_KEEP_H_
#define JIKJI_FLEET_KEEP_H_

#include <cstdint>
#include <span>
#include <vector>

namespace jikji::fleet {

struct LaunchedNode {
  enum class State : uint8_t {
    kPending,  // waits for a machine
    kRunning,
    kEnding,  // was told to end, or has ended
    kLost,    // its machine is down
  };
  State state = State::kPending;
  bool leaves = false;  // its machine takes no new work and wants to be empty
};

struct KeepPlan {
  int32_t start = 0;
  std::vector<size_t> end;  // which of the nodes given
};

// `nodes`: the oldest first; of those too many the youngest end, those that wait before those that
// run.
KeepPlan Keep(std::span<const LaunchedNode> nodes, int32_t wanted);

}  // namespace jikji::fleet

#endif  // JIKJI_FLEET_KEEP_H_
