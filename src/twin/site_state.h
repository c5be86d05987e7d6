// The state of a simulated site, shared by the parts that move it: requests (request_flow.h), the
// lives of nodes (node_lives.h) and power (site_power.h).
#ifndef JIKJI_TWIN_SITE_STATE_H_
#define JIKJI_TWIN_SITE_STATE_H_

#include <algorithm>

#include "fleet/cache_index.h"
#include "twin/event_heap.h"
#include "twin/prefix_caches.h"
#include "twin/replicas.h"
#include "twin/series_sampler.h"
#include "twin/simulation.h"
#include "twin/site_model.h"
#include "twin/site_report.h"

namespace jikji::twin {

struct SiteState {
  SiteState(const SiteModel& site_model, const SimulationOptions& simulation_options)
      : model(site_model),
        options(simulation_options),
        site(BuildSnapshot(model)),
        index(std::min(kMostIndexEntries, site.nodes.size() * model.cache_blocks + 64)),
        caches(site.nodes.size(), model.cache_blocks),
        replicas(site.nodes.size(), model.engine),
        heap(site.nodes.size()),
        power(model, site),
        sampler(options.series_s) {}

  ClassReport& ClassOf(fleet::ServiceClass service) {
    return report.classes[static_cast<size_t>(service)];
  }
  fleet::NodeLoad& LoadOf(int32_t node) { return site.loads[static_cast<size_t>(node)]; }
  fleet::Node& NodeAt(int32_t node) { return site.nodes[static_cast<size_t>(node)]; }
  // The node's next event may have moved.
  void Reschedule(int32_t node) {
    const auto id = static_cast<uint32_t>(node);
    heap.Set(id, replicas.NextTime(id));
  }

  // Begins to fetch what the nodes that probably have the next events will read.
  void ExpectNodes() const {
    heap.ForEachNear([this](uint32_t node) { replicas.Prefetch(node); });
  }

  // All of it that moves; the rest follows from the model.
  template <class Stream>
  void Exchange(Stream& stream) {
    stream.List(site.feeds);
    stream.List(site.loops);
    for (fleet::Node& node : site.nodes) stream.Plain(node.model, node.state);
    stream.List(site.loads);
    for (fleet::Pool& pool : site.pools) {
      stream.List(pool.nodes);
      stream.Plain(pool.work);
    }
    index.Exchange(stream);
    caches.Exchange(stream);
    replicas.Exchange(stream);
    heap.Exchange(stream);
    power.Exchange(stream);
    sampler.Exchange(stream);
    report.Exchange(stream);
    stream.Plain(serve_from);
  }

  const SiteModel& model;
  const SimulationOptions& options;
  fleet::Snapshot site;
  fleet::CacheIndex index;  // what the router remembers
  PrefixCaches caches;      // what nodes hold
  Replicas replicas;
  EventHeap heap;
  PowerControl power;
  SeriesSampler sampler;
  SiteReport report;
  // What power allows: set by every decision.
  fleet::ServiceClass serve_from = fleet::ServiceClass::kBatch;

 private:
  // What all nodes hold, and no more than 768 MiB.
  static constexpr size_t kMostIndexEntries = 32u << 20;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_SITE_STATE_H_
