#include "twin/site_model.h"

#include <fmt/format.h>

#include <array>

#include "fleet/table_reader.h"

namespace jikji::twin {
namespace {

constexpr std::array kEventNames = {"feed_loss", "rack_failure", "heat_wave", "demand_response"};

Result<> AtLeast(double value, double least, const char* field) {
  if (value >= least) return {};
  return Fail(ErrorCode::kInvalidArgument, fmt::format("must be at least {}, is {}", least, value),
              field);
}

int32_t Racks(const SiteModel& model) {
  return (model.nodes + model.nodes_per_rack - 1) / model.nodes_per_rack;
}

}  // namespace

const char* SiteEventName(SiteEvent::Kind kind) { return kEventNames[static_cast<size_t>(kind)]; }

Result<> Check(const SiteModel& model) {
  JIKJI_RETURN_IF_ERROR(AtLeast(model.nodes, 1, "nodes"));
  JIKJI_RETURN_IF_ERROR(AtLeast(model.nodes_per_rack, 1, "nodes_per_rack"));
  JIKJI_RETURN_IF_ERROR(AtLeast(model.gpus_per_node, 1, "gpus_per_node"));
  JIKJI_RETURN_IF_ERROR(AtLeast(model.feeds, 1, "feeds"));
  JIKJI_RETURN_IF_ERROR(AtLeast(model.loops, 1, "loops"));
  JIKJI_RETURN_IF_ERROR(AtLeast(model.spare_nodes, 0, "spare_nodes"));
  if (model.spare_nodes >= model.nodes) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} of {} nodes leave none to serve", model.spare_nodes, model.nodes),
                "spares");
  }
  JIKJI_RETURN_IF_ERROR(AtLeast(model.megawatts, 0, "megawatts"));
  JIKJI_RETURN_IF_ERROR(AtLeast(model.pue, 1, "pue"));
  for (size_t i = 0; i < model.events.size(); ++i) {
    const SiteEvent& event = model.events[i];
    const int32_t count = event.kind == SiteEvent::Kind::kFeedLoss      ? model.feeds
                          : event.kind == SiteEvent::Kind::kRackFailure ? Racks(model)
                                                                        : 1;
    if (event.index < 0 || event.index >= count) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("there is no {} of this kind: there are {}", event.index, count),
                  fmt::format("event[{}].index", i));
    }
    if (event.kind == SiteEvent::Kind::kDemandResponse && event.amount > 1) {
      return Fail(ErrorCode::kInvalidArgument, "must be a share of the envelope, at most 1",
                  fmt::format("event[{}].amount", i));
    }
  }
  return {};
}

fleet::Snapshot BuildSnapshot(const SiteModel& model) {
  fleet::Snapshot site;
  const int32_t racks = Racks(model);
  // A feed and a loop carry the racks they have and a tenth more.
  const auto carries = [&](int32_t count) {
    return (racks + count - 1) / count * model.rack_limit_w * 11 / 10;
  };
  site.feeds.assign(static_cast<size_t>(model.feeds), {carries(model.feeds)});
  site.loops.assign(static_cast<size_t>(model.loops), {carries(model.loops)});
  site.gpu_powers = {model.gpu};
  site.models = {{.name = "model",
                  .gpus_per_node = model.gpus_per_node,
                  .tokens_per_second = 1,
                  .load_seconds = model.load_seconds}};
  for (int32_t i = 0; i < racks; ++i) {
    // Loops cross feeds: a loop that fails takes a part of every feed.
    site.racks.push_back({.feed = i % model.feeds,
                          .loop = (i + i / model.feeds) % model.loops,
                          .limit_w = model.rack_limit_w});
  }
  for (int32_t i = 0; i < model.nodes; ++i) {
    fleet::Node node;
    node.rack = i / model.nodes_per_rack;
    node.gpus = model.gpus_per_node;
    node.other_w = model.other_w;
    // Spares stand in different racks: every so many nodes one.
    const bool spare = model.spare_nodes > 0 && i % (model.nodes / model.spare_nodes) == 0 &&
                       i / (model.nodes / model.spare_nodes) < model.spare_nodes;
    node.model = spare ? -1 : 0;
    site.nodes.push_back(node);
  }
  site.loads.resize(site.nodes.size());
  for (fleet::NodeLoad& load : site.loads) load.kv_capacity = model.engine.kv_tokens;
  RebuildPools(site);
  return site;
}

Result<std::vector<SiteEvent>> ReadSiteEvents(std::string_view text, std::string where) {
  JIKJI_ASSIGN(fleet::TableReader file, fleet::TableReader::Parse(text, std::move(where)));
  std::vector<SiteEvent> events;
  for (fleet::TableReader& table : file.Tables("event")) {
    SiteEvent event;
    const std::string kind = table.Text("kind");
    bool known = false;
    for (size_t i = 0; i < kEventNames.size(); ++i) {
      if (kind != kEventNames[i]) continue;
      event.kind = static_cast<SiteEvent::Kind>(i);
      known = true;
    }
    if (!known) {
      table.Reject("kind", "must be feed_loss, rack_failure, heat_wave or demand_response");
    }
    event.at_hour = table.Number("at_hour", {0, 1e6});
    event.hours = table.Number("hours", {0, 1e6});
    event.index = static_cast<int32_t>(table.Integer("index", {0, 1e6}, 0));
    event.amount = table.Number("amount", {0, 1e6}, 0);
    event.notice_s = table.Number("notice_seconds", {0, 1e6}, 0);
    if (event.notice_s > 0 && event.kind != SiteEvent::Kind::kDemandResponse) {
      table.Reject("notice_seconds", "only a demand_response has notice");
    }
    JIKJI_RETURN_IF_ERROR(table.Done());
    events.push_back(event);
  }
  JIKJI_RETURN_IF_ERROR(file.Done());
  return events;
}

}  // namespace jikji::twin
