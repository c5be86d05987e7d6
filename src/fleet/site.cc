#include "fleet/site.h"

#include <fmt/format.h>

#include <algorithm>

namespace jikji::fleet {
namespace {

std::string Field(const char* list, size_t index, const char* field) {
  return fmt::format("{}[{}].{}", list, index, field);
}

Result<> NotNegative(int64_t value, std::string where) {
  if (value >= 0) return {};
  return Fail(ErrorCode::kInvalidArgument, fmt::format("must not be negative, is {}", value),
              std::move(where));
}

template <class List>
Result<> InRange(int32_t index, const List& list, const char* kind, std::string where) {
  if (index >= 0 && static_cast<size_t>(index) < list.size()) return {};
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("there is no {} {}: there are {}", kind, index, list.size()),
              std::move(where));
}

Result<> CheckGpuPower(const GpuPower& power, size_t index) {
  JIKJI_RETURN_IF_ERROR(NotNegative(power.idle_w, Field("gpu_powers", index, "idle_w")));
  const auto at_least = [&](int64_t value, int64_t least, const char* field,
                            const char* other) -> Result<> {
    if (value >= least) return {};
    return Fail(ErrorCode::kInvalidArgument, fmt::format("must be at least {}, {}", other, least),
                Field("gpu_powers", index, field));
  };
  JIKJI_RETURN_IF_ERROR(at_least(power.floor_w, power.idle_w, "floor_w", "idle_w"));
  JIKJI_RETURN_IF_ERROR(at_least(power.decode_w, power.idle_w, "decode_w", "idle_w"));
  JIKJI_RETURN_IF_ERROR(at_least(power.prefill_w, power.idle_w, "prefill_w", "idle_w"));
  JIKJI_RETURN_IF_ERROR(at_least(power.limit_w, power.floor_w, "limit_w", "floor_w"));
  return {};
}

Result<> CheckNode(const Snapshot& site, size_t index) {
  const Node& node = site.nodes[index];
  const auto field = [index](const char* name) { return Field("nodes", index, name); };
  JIKJI_RETURN_IF_ERROR(InRange(node.rack, site.racks, "rack", field("rack")));
  JIKJI_RETURN_IF_ERROR(InRange(node.power, site.gpu_powers, "kind of GPU", field("power")));
  if (node.model != -1) {
    JIKJI_RETURN_IF_ERROR(InRange(node.model, site.models, "model", field("model")));
  }
  JIKJI_RETURN_IF_ERROR(NotNegative(node.gpus, field("gpus")));
  JIKJI_RETURN_IF_ERROR(NotNegative(node.other_w, field("other_w")));
  if (!std::ranges::is_sorted(node.adapters)) {
    return Fail(ErrorCode::kInvalidArgument, "must ascend", field("adapters"));
  }
  return {};
}

}  // namespace

const char* ServiceClassName(ServiceClass service) {
  switch (service) {
    case ServiceClass::kBatch:
      return "batch";
    case ServiceClass::kStandard:
      return "standard";
    case ServiceClass::kPremium:
      return "premium";
  }
  return "standard";
}

Result<> Check(const Snapshot& site) {
  for (size_t i = 0; i < site.feeds.size(); ++i) {
    JIKJI_RETURN_IF_ERROR(NotNegative(site.feeds[i].limit_w, Field("feeds", i, "limit_w")));
  }
  for (size_t i = 0; i < site.loops.size(); ++i) {
    JIKJI_RETURN_IF_ERROR(NotNegative(site.loops[i].limit_w, Field("loops", i, "limit_w")));
  }
  for (size_t i = 0; i < site.racks.size(); ++i) {
    const Rack& rack = site.racks[i];
    JIKJI_RETURN_IF_ERROR(NotNegative(rack.limit_w, Field("racks", i, "limit_w")));
    JIKJI_RETURN_IF_ERROR(InRange(rack.feed, site.feeds, "feed", Field("racks", i, "feed")));
    JIKJI_RETURN_IF_ERROR(
        InRange(rack.loop, site.loops, "cooling loop", Field("racks", i, "loop")));
  }
  for (size_t i = 0; i < site.gpu_powers.size(); ++i) {
    JIKJI_RETURN_IF_ERROR(CheckGpuPower(site.gpu_powers[i], i));
  }
  for (size_t i = 0; i < site.nodes.size(); ++i) JIKJI_RETURN_IF_ERROR(CheckNode(site, i));
  if (site.loads.size() != site.nodes.size()) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("must hold one entry for each of {} nodes, holds {}", site.nodes.size(),
                            site.loads.size()),
                "loads");
  }
  return {};
}

void RebuildPools(Snapshot& site) {
  site.pools.assign(site.models.size(), {});
  for (size_t i = 0; i < site.nodes.size(); ++i) {
    const Node& node = site.nodes[i];
    if (node.model < 0 || node.state != NodeState::kServing) continue;
    Pool& pool = site.pools[static_cast<size_t>(node.model)];
    pool.nodes.push_back(static_cast<int32_t>(i));
    pool.work += site.loads[i].work;
  }
}

void AddWork(Snapshot& site, int32_t index, int64_t delta) {
  const auto i = static_cast<size_t>(index);
  site.loads[i].work += delta;
  const Node& node = site.nodes[i];
  if (node.model >= 0 && node.state == NodeState::kServing) {
    site.pools[static_cast<size_t>(node.model)].work += delta;
  }
}

}  // namespace jikji::fleet
