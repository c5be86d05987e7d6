// The nodes behind a router: which serve, what they are busy with, and which gets the next request.
//
// Holds the snapshot that fleet::Route decides on. What this router has under way is counted at
// once; what others have sent to a node is learnt from its metrics and counted until the next look.
// Nodes come and go: one that has left gets no new request, and its place is given to another once
// its last answer is out. Thread-safe. Non-goals: talking to nodes (router.h).
#ifndef JIKJI_APP_ROUTER_NODE_TABLE_H_
#define JIKJI_APP_ROUTER_NODE_TABLE_H_

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "app/router/node_metrics.h"
#include "fleet/route.h"

namespace jikji {

class NodeTable {
 public:
  // A node, by its place in the table. A place may change its URL while nobody holds a lease on it.
  struct Place {
    int32_t node = -1;
    std::string url;
    int64_t ended = 0;  // answers of this router that were out when the place was told
  };

  // URLs without a path: "http://10.0.0.1:8080". All begin as down, until a look finds them.
  NodeTable(const std::vector<std::string>& fixed, const fleet::RouteOptions& options);

  // The nodes there are beside the fixed ones; those that were and are no more have left. Returns
  // those that are new.
  std::vector<Place> SetMembers(const std::vector<std::string>& urls);

  // All that have not left.
  std::vector<Place> Places() const;
  // The node at "host:port", or -1.
  int32_t Find(std::string_view endpoint) const;

  // A look at a node, begun after `place` was told: whether it serves, which models, its metrics.
  void Seen(const Place& place, bool serving, const std::vector<std::string>& models,
            const NodeMetrics& metrics);
  // It gets no new request, whatever looks find; false: it may again.
  void SetDraining(int32_t node, bool draining);

  struct Request {
    std::string model;  // empty or unknown: the first of any node
    int64_t prompt_tokens = 0;
    int64_t output_tokens = 0;  // at most, or as is usual
    std::vector<uint64_t> prefix;
    std::vector<int32_t> excluded;  // tried already
  };
  // Where a request goes; Release must follow for each node that is not -1.
  struct Lease {
    int32_t node = -1;
    int64_t prompt_work = 0;  // until the first token
    int64_t decode_work = 0;  // until the end
    std::string url;
    bool answered = false;
  };
  // `wanted`: a node that somebody else has chosen, or -1.
  Lease Acquire(const Request& request, int32_t wanted = -1);
  // The first token came: its prompt is no more work.
  void Answered(Lease& lease);
  void Release(const Lease& lease);
  // A request could not reach it: it gets no more until a look finds it serving. Also after
  // Release.
  void Lost(const Lease& lease);

  struct Row {
    std::string url;
    fleet::NodeState state;
    int32_t under_way;
    int64_t requests;
    double gpu_watts;  // at the last look; 0: not told
  };
  std::vector<Row> Rows() const;  // of all that have not left
  size_t Serving() const;

 private:
  struct Known {
    std::string url;
    bool fixed = false;
    bool left = false;
    bool serving = false;
    bool draining = false;
    std::vector<std::string> models = {};
    int32_t under_way = 0;
    int64_t requests = 0;
    double gpu_watts = 0;
    int32_t others = 0;  // requests that others have sent there
  };

  void SetOthers(int32_t node, int32_t others);
  void EndPrompt(const Lease& lease);

  int32_t Add(const std::string& url, bool fixed);
  void Leave(int32_t node);
  void Refresh(int32_t node);  // after its state or models changed
  int32_t ModelOf(std::string_view name) const;
  int32_t FindUrl(std::string_view url) const;

  const fleet::RouteOptions options_;
  mutable std::mutex mutex_;
  std::vector<Known> known_;
  fleet::Snapshot site_;
  fleet::CacheIndex index_;
  uint64_t next_id_ = 0;
};

}  // namespace jikji

#endif  // JIKJI_APP_ROUTER_NODE_TABLE_H_
