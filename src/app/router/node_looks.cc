#include "app/router/node_looks.h"

#include <boost/json.hpp>
#include <vector>

#include "base/json.h"
#include "net/client.h"

namespace jikji {
namespace {

// Of a page of a node; those of metrics are the largest.
constexpr size_t kMostBytes = 16u << 20;

// The names in an answer of /v1/models; what is not understood is passed over.
std::vector<std::string> ModelNames(const std::string& body) {
  std::vector<std::string> names;
  const auto parsed = ParseJson(body);
  if (!parsed || !parsed->is_object()) return names;
  const auto list = OptionalArray(parsed->as_object(), "data");
  if (!list || *list == nullptr) return names;
  for (const boost::json::value& item : **list) {
    if (!item.is_object()) continue;
    const auto id = OptionalString(item.as_object(), "id");
    if (id && *id) names.push_back(**id);
  }
  return names;
}

}  // namespace

NodeLooks::NodeLooks(NodeTable& nodes, net::ConnectionPool& pool,
                     std::chrono::milliseconds interval, std::chrono::milliseconds timeout)
    : nodes_(nodes), pool_(pool), interval_(interval), timeout_(timeout) {
  LookAt(nodes_.Places());
  thread_ = std::jthread([this] { Keep(); });
}

NodeLooks::~NodeLooks() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
}

void NodeLooks::Keep() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      stop_.wait_for(lock, interval_, [this] { return stopping_; });
      if (stopping_) return;
    }
    LookAt(nodes_.Places());
  }
}

void NodeLooks::LookAt(std::span<const NodeTable::Place> places) {
  std::vector<std::jthread> looks;
  for (const NodeTable::Place& place : places) {
    looks.emplace_back([this, &place] { LookAt(place); });
  }
}

void NodeLooks::LookAt(const NodeTable::Place& place) {
  // All nodes wait for the look at the slowest, so one that sends byte by byte, or without end,
  // must not keep it.
  const auto get = [&](const char* path) {
    return net::Fetch({.url = place.url + path},
                      {.timeout = timeout_,
                       .deadline = std::chrono::steady_clock::now() + timeout_,
                       .max_body_bytes = kMostBytes,
                       .pool = &pool_});
  };
  const auto health = get("/health");
  if (!health || health->status != 200) return nodes_.Seen(place, false, {}, {});
  std::vector<std::string> models;
  if (const auto list = get("/v1/models"); list && list->status == 200) {
    models = ModelNames(list->body);
  }
  NodeMetrics metrics;
  if (const auto text = get("/metrics"); text && text->status == 200) {
    metrics = ParseNodeMetrics(text->body);
  }
  nodes_.Seen(place, true, models, metrics);
}

}  // namespace jikji
