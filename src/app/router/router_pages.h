// What a router tells of itself: its health, its nodes and its counts.
#ifndef JIKJI_APP_ROUTER_ROUTER_PAGES_H_
#define JIKJI_APP_ROUTER_ROUTER_PAGES_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "app/router/node_table.h"
#include "net/http.h"

namespace jikji {

struct RouterCounts {
  int64_t retries = 0;  // sent to another node
  int64_t refused = 0;  // no node answered
  int64_t broken = 0;   // told that their node was lost
};

// An error as the nodes answer them; 503 asks to come back.
net::Response RouterError(int status, std::string_view code, std::string message);

net::Response HealthPage(size_t serving, size_t nodes);
net::Response NodesPage(std::span<const NodeTable::Row> rows);
// Prometheus text.
net::Response MetricsPage(std::span<const NodeTable::Row> rows, const RouterCounts& counts);

}  // namespace jikji

#endif  // JIKJI_APP_ROUTER_ROUTER_PAGES_H_
