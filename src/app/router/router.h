// A router of requests over HTTP: each goes to the node that fleet::Route picks, its answer is
// passed on as it comes.
//
// A request that no byte of an answer has come for is sent to another node when its node is lost,
// refuses the connection or answers 503; after that the client is told, within the stream. A client
// that goes away ends its request at the node. Requests wait for a worker in a bounded queue; past
// it, 503. Nodes are looked at (/health, /v1/models, /metrics) at an interval. The header of the
// Gateway API Inference Extension, x-gateway-destination-endpoint, overrides the choice: its first
// endpoint that serves is taken, the others are where the request goes if that one is lost.
// Non-goals: TLS, authentication (the nodes').
#ifndef JIKJI_APP_ROUTER_ROUTER_H_
#define JIKJI_APP_ROUTER_ROUTER_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "fleet/route.h"
#include "net/http.h"

namespace jikji {

struct RouterOptions {
  std::vector<std::string> nodes;  // "http://host:port", beside those of SetMembers
  fleet::RouteOptions route;
  size_t workers = 256;  // answers passed on at once
  size_t max_queued = 1024;
  size_t block_bytes = 256;  // of prompt text, that a hash stands for
  std::chrono::milliseconds look_interval{1000};
  std::chrono::milliseconds look_timeout{2000};
  std::chrono::milliseconds answer_timeout{600'000};  // of no byte coming
};

class Router {
 public:
  // Looks at every node once before it returns.
  static Result<std::unique_ptr<Router>> Create(RouterOptions options);
  virtual ~Router() = default;

  virtual net::Handler handler() = 0;
  virtual size_t serving_nodes() const = 0;

  // The nodes there are beside those of the options, as http://HOST:PORT. Looks at the new ones
  // before it returns; those that are no more get no new request. Any thread, one at a time.
  virtual void SetMembers(const std::vector<std::string>& urls) = 0;
};

}  // namespace jikji

#endif  // JIKJI_APP_ROUTER_ROUTER_H_
