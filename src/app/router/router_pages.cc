#include "app/router/router_pages.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace jikji {
namespace {

const char* StateName(fleet::NodeState state) {
  switch (state) {
    case fleet::NodeState::kServing:
      return "serving";
    case fleet::NodeState::kDraining:
      return "draining";
    case fleet::NodeState::kStarting:
    case fleet::NodeState::kDown:
      break;
  }
  return "down";
}

}  // namespace

net::Response RouterError(int status, std::string_view code, std::string message) {
  net::Response response;
  response.status = status;
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  response.body = boost::json::serialize(
      boost::json::object{{"error",
                           {{"message", std::move(message)},
                            {"type", status == 503 ? "overloaded_error" : "server_error"},
                            {"param", nullptr},
                            {"code", code}}}});
  return response;
}

net::Response HealthPage(size_t serving, size_t nodes) {
  net::Response response;
  response.status = serving > 0 ? 200 : 503;
  response.body = fmt::format(R"({{"status":"{}","serving_nodes":{},"nodes":{}}})",
                              serving > 0 ? "ok" : "no node serves", serving, nodes);
  return response;
}

net::Response NodesPage(std::span<const NodeTable::Row> rows) {
  boost::json::array list;
  for (const NodeTable::Row& row : rows) {
    boost::json::object told{{"node", row.url},
                             {"state", StateName(row.state)},
                             {"under_way", row.under_way},
                             {"requests", row.requests}};
    if (row.gpu_watts > 0) told["gpu_watts"] = row.gpu_watts;
    list.push_back(std::move(told));
  }
  net::Response response;
  response.body = boost::json::serialize(list);
  return response;
}

net::Response MetricsPage(std::span<const NodeTable::Row> rows, const RouterCounts& counts) {
  net::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = "# TYPE jikji_router_requests_total counter\n";
  for (const NodeTable::Row& row : rows) {
    response.body +=
        fmt::format("jikji_router_requests_total{{node=\"{}\"}} {}\n", row.url, row.requests);
  }
  response.body += "# TYPE jikji_router_under_way gauge\n";
  for (const NodeTable::Row& row : rows) {
    response.body +=
        fmt::format("jikji_router_under_way{{node=\"{}\"}} {}\n", row.url, row.under_way);
  }
  response.body += "# TYPE jikji_router_gpu_watts gauge\n";
  for (const NodeTable::Row& row : rows) {
    if (row.gpu_watts <= 0) continue;
    response.body +=
        fmt::format("jikji_router_gpu_watts{{node=\"{}\"}} {}\n", row.url, row.gpu_watts);
  }
  response.body += fmt::format(
      "# TYPE jikji_router_retries_total counter\njikji_router_retries_total {}\n"
      "# TYPE jikji_router_refused_total counter\njikji_router_refused_total {}\n"
      "# TYPE jikji_router_broken_total counter\njikji_router_broken_total {}\n",
      counts.retries, counts.refused, counts.broken);
  return response;
}

}  // namespace jikji
