// What a simulated site is made of, and what befalls it.
#ifndef JIKJI_TWIN_SITE_MODEL_H_
#define JIKJI_TWIN_SITE_MODEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "fleet/route.h"
#include "fleet/site.h"
#include "fleet/tariff.h"
#include "twin/replicas.h"

namespace jikji::twin {

// Something that happens at an hour and lasts so many hours.
struct SiteEvent {
  enum class Kind : uint8_t { kFeedLoss, kRackFailure, kHeatWave, kDemandResponse };
  Kind kind = Kind::kRackFailure;
  double at_hour = 0;
  double hours = 1;
  int32_t index = 0;    // which feed or rack
  double amount = 0;    // degrees of a heat wave; the share of the envelope that a call takes
  double notice_s = 0;  // of a call: known of at its hour, in force so much later
};
const char* SiteEventName(SiteEvent::Kind kind);

struct SiteModel {
  // Equal nodes, so many to a rack; racks in turn on feeds and loops.
  int32_t nodes = 8;
  int32_t nodes_per_rack = 4;
  int32_t gpus_per_node = 8;
  int32_t feeds = 4;
  int32_t loops = 4;
  int32_t spare_nodes = 0;  // of them, kept for replacing
  fleet::GpuPower gpu;
  int64_t other_w = 0;  // of a node: processors, switches, fans
  int64_t rack_limit_w = 0;
  EngineModel engine;
  int64_t load_seconds = 300;  // until a started node serves
  size_t cache_blocks = 2048;  // of prompt, of route.block_tokens, that a node holds

  double megawatts = 0;         // at the meter; 0: as much as all racks may draw
  double pue = 1.1;             // up to 18 °C; above, it rises
  double reserve_share = 0.02;  // of the envelope
  bool controlled = true;       // false: nobody manages power, to compare with
  double batch_hours = 12;      // of a day in which batch work runs: the cheapest

  // Failures of nodes: GPU and host faults of Meta's Llama 3 run, 173 in 1,000 GPU-years.
  double failures_per_gpu_year = 0.173;
  double repair_hours = 4;

  std::vector<SiteEvent> events;
  fleet::Tariff tariff;
  int32_t start_day = 190;  // of the year: 190 is a Monday in July
  fleet::RouteOptions route;
};

Result<> Check(const SiteModel& model);

// The site at rest: every node serves but the spares.
fleet::Snapshot BuildSnapshot(const SiteModel& model);

// `[[event]]` tables of a TOML text.
Result<std::vector<SiteEvent>> ReadSiteEvents(std::string_view text, std::string where);

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_SITE_MODEL_H_
