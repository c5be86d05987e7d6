// Follows which nodes are registered in etcd.
//
// A watch tells that something changed; what there is now is then listed, so that nothing is missed
// however the watch breaks. Where etcd is away, what was last known stands: a fleet that serves
// does not stop because its register does. For the same reason an empty list is never reported:
// nodes that have ended are found so by whoever asks them.
#ifndef JIKJI_APP_MEMBERSHIP_NODE_WATCH_H_
#define JIKJI_APP_MEMBERSHIP_NODE_WATCH_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/membership/etcd.h"
#include "app/membership/registration.h"
#include "net/cancellation.h"

namespace jikji {

struct NodeWatchOptions {
  std::vector<std::string> etcd;  // endpoints
  std::string prefix = kNodePrefix;
  std::chrono::milliseconds retry{1000};
  // A watch that has been silent for so long is begun again: its etcd may be gone without a word.
  std::chrono::seconds patience{60};
};

class NodeWatch {
 public:
  // All nodes there are, sorted; from the thread of the watch.
  using OnNodes = std::function<void(std::vector<std::string> urls)>;

  // Errors are of the options only. The first list has been reported when this returns, if etcd
  // answers.
  static Result<std::unique_ptr<NodeWatch>> Start(NodeWatchOptions options, OnNodes on_nodes);
  ~NodeWatch();
  NodeWatch(const NodeWatch&) = delete;
  NodeWatch& operator=(const NodeWatch&) = delete;

 private:
  NodeWatch(NodeWatchOptions options, OnNodes on_nodes)
      : options_(std::move(options)), on_nodes_(std::move(on_nodes)) {}
  void Run(Etcd etcd);
  // The revision that the list is of.
  Result<int64_t> Look(Etcd& etcd);
  void Tell(const Error* error);

  const NodeWatchOptions options_;
  const OnNodes on_nodes_;
  std::vector<std::string> known_;
  bool away_ = false;
  net::Cancellation cancellation_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::jthread thread_;
};

// The URLs that entries name; an entry that names none is left out.
std::vector<std::string> UrlsOf(const Etcd::Listing& listing);

}  // namespace jikji

#endif  // JIKJI_APP_MEMBERSHIP_NODE_WATCH_H_
