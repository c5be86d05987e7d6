// What a serving node tells of itself in Prometheus text: vLLM's gauges, which Jikji has as well,
// and Jikji's own of its GPUs.
//
// Unknown lines are read over; a gauge that is absent stays at its default. llama-server's names
// are understood too. Non-goals: histograms, other labels than the shape of the cache.
#ifndef JIKJI_APP_ROUTER_NODE_METRICS_H_
#define JIKJI_APP_ROUTER_NODE_METRICS_H_

#include <cstdint>
#include <string_view>

namespace jikji {

struct NodeMetrics {
  int64_t running = 0;
  int64_t waiting = 0;
  double cache_use = 0;      // 0 to 1
  int64_t cache_tokens = 0;  // it holds so many; 0: not told
  double gpu_watts = 0;      // of all its GPUs; 0: not told
};

NodeMetrics ParseNodeMetrics(std::string_view text);

}  // namespace jikji

#endif  // JIKJI_APP_ROUTER_NODE_METRICS_H_
