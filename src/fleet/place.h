// Which node runs which model: Place(snapshot, demands) and Recover(snapshot, failure), pure
// functions that return what to change.
//
// As many nodes as the forecast needs, plus spares; a model's nodes are spread over feeds, cooling
// loops and racks, so that one failure takes as few of them as can be. Nodes that run the right
// model are left alone: loading takes minutes. A forecast looks as far ahead as the model takes to
// load. Non-goals: making forecasts; splitting a model over nodes.
#ifndef JIKJI_FLEET_PLACE_H_
#define JIKJI_FLEET_PLACE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "fleet/site.h"

namespace jikji::fleet {

struct ModelDemand {
  int32_t model = 0;
  double tokens_per_second = 0;    // forecast of output
  int32_t spare_nodes = 0;         // beyond the forecast
  bool survive_feed_loss = false;  // the forecast is met with any one feed gone
};

struct PlaceAction {
  enum class Kind : uint8_t { kStart, kDrain };
  Kind kind = Kind::kStart;
  int32_t node = 0;
  int32_t model = 0;  // to start, or that is drained
  bool operator==(const PlaceAction&) const = default;
};

struct Placement {
  std::vector<PlaceAction> actions;
  std::vector<int32_t> short_by;  // nodes that each demand lacks
};

// Demands in the order of importance: an earlier one takes spare nodes first. A node is drained
// where its model has more than it needs by over a tenth, or is not in demand at all.
Placement Place(const Snapshot& site, std::span<const ModelDemand> demands);

struct Failure {
  enum class Kind : uint8_t { kNode, kRack, kFeed, kLoop };
  Kind kind = Kind::kNode;
  int32_t index = 0;
};

struct Recovery {
  std::vector<int32_t> lost;         // nodes that went down, ascending
  std::vector<PlaceAction> actions;  // starts that replace them, on what stands elsewhere
  std::vector<int32_t> short_by;     // for each model: lost nodes that have no replacement
};

// The snapshot is as before the failure.
Recovery Recover(const Snapshot& site, const Failure& failure);

}  // namespace jikji::fleet

#endif  // JIKJI_FLEET_PLACE_H_
