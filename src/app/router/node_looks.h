// Looks at the nodes of a table: whether they are healthy, which models they have, their metrics.
#ifndef JIKJI_APP_ROUTER_NODE_LOOKS_H_
#define JIKJI_APP_ROUTER_NODE_LOOKS_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <span>
#include <thread>

#include "app/router/node_table.h"
#include "net/connection_pool.h"

namespace jikji {

class NodeLooks {
 public:
  // Looks at all of them before it returns, and every `interval` from then on.
  NodeLooks(NodeTable& nodes, net::ConnectionPool& pool, std::chrono::milliseconds interval,
            std::chrono::milliseconds timeout);
  ~NodeLooks();
  NodeLooks(const NodeLooks&) = delete;
  NodeLooks& operator=(const NodeLooks&) = delete;

  // Side by side, so that one that hangs hides no other. Any thread.
  void LookAt(std::span<const NodeTable::Place> places);

 private:
  void LookAt(const NodeTable::Place& place);
  void Keep();

  NodeTable& nodes_;
  net::ConnectionPool& pool_;
  const std::chrono::milliseconds interval_;
  const std::chrono::milliseconds timeout_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::jthread thread_;
};

}  // namespace jikji

#endif  // JIKJI_APP_ROUTER_NODE_LOOKS_H_
