#include "app/router/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "app/membership/node_url.h"
#include "app/router/node_looks.h"
#include "app/router/node_table.h"
#include "app/router/routed_request.h"
#include "app/router/router_pages.h"
#include "net/client.h"

namespace jikji {
namespace {

// Of the Gateway API Inference Extension's endpoint picker protocol.
constexpr const char* kPicked = "x-gateway-destination-endpoint";
constexpr const char* kServed = "x-gateway-destination-endpoint-served";

// A node may break by itself, and another at the same time; a third is not the nodes' fault.
constexpr int kMostBroken = 3;

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// Fields of one connection, or that net/ writes itself.
bool IsHop(std::string_view name) {
  constexpr std::array<std::string_view, 8> kHop = {
      "connection", "keep-alive", "transfer-encoding", "content-length", "content-type", "host",
      "expect",     "upgrade"};
  return std::ranges::any_of(kHop, [&](auto hop) { return EqualIgnoringCase(name, hop); });
}

// The path as it may stand in a URL.
std::string Escaped(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 ||
                       std::string_view("/-._~:@!$&'()*+,;=").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out;
}

// "a:1, b:2" to its parts.
std::vector<std::string_view> Endpoints(std::string_view list) {
  std::vector<std::string_view> parts;
  while (!list.empty()) {
    const size_t end = std::min(list.find(','), list.size());
    std::string_view part = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

net::Response Passed(net::Response answer, const std::string& url, bool picked) {
  std::erase_if(answer.headers, [](const auto& field) { return IsHop(field.first); });
  answer.headers.emplace_back("x-jikji-node", url);
  if (picked) answer.headers.emplace_back(kServed, EndpointOf(url));
  return answer;
}

struct Job {
  net::Request request;
  std::shared_ptr<net::Responder> responder;
  RoutedRequest routed = {};
  bool picked = false;  // somebody else has chosen the node
  bool sent = false;    // to the node that is tried
  int broken = 0;       // nodes that had it and gave no answer
  // Of the exchange with a node, once the client is gone.
  std::shared_ptr<net::Cancellation> cancellation = {};
};

class RouterImpl : public Router {
 public:
  explicit RouterImpl(RouterOptions options)
      : options_(std::move(options)), nodes_(options_.nodes, RouteOptionsOf(options_)) {}

  ~RouterImpl() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
  }

  void Start() {
    looks_.emplace(nodes_, pool_, options_.look_interval, options_.look_timeout);
    for (size_t i = 0; i < options_.workers; ++i) {
      workers_.emplace_back([this] { Work(); });
    }
  }

  net::Handler handler() override {
    return [this](net::Request request, std::shared_ptr<net::Responder> responder) {
      Take(std::move(request), std::move(responder));
    };
  }

  size_t serving_nodes() const override { return nodes_.Serving(); }

  void SetMembers(const std::vector<std::string>& urls) override {
    looks_->LookAt(nodes_.SetMembers(urls));
  }

 private:
  static fleet::RouteOptions RouteOptionsOf(const RouterOptions& options) {
    fleet::RouteOptions route = options.route;
    route.block_tokens =
        static_cast<int32_t>(std::max<size_t>(1, options.block_bytes / kBytesPerToken));
    return route;
  }

  // On a network thread.
  void Take(net::Request request, std::shared_ptr<net::Responder> responder) {
    if (request.path == "/health") {
      return responder->Send(HealthPage(nodes_.Serving(), nodes_.Rows().size()));
    }
    if (request.path == "/metrics") {
      return responder->Send(MetricsPage(
          nodes_.Rows(), {.retries = retries_, .refused = refused_, .broken = broken_}));
    }
    if (request.path == "/router/nodes") return responder->Send(NodesPage(nodes_.Rows()));
    if (request.path == "/router/drain" || request.path == "/router/undrain") {
      return responder->Send(Drain(request));
    }
    // `OPTIONS *` has no path, and so makes no URL at a node.
    if (!request.path.starts_with('/')) {
      return responder->Send(
          RouterError(400, "bad_request", "the request target must be a path that begins with /"));
    }
    {
      const std::lock_guard lock(mutex_);
      if (!stopping_ && queue_.size() < options_.max_queued) {
        queue_.push_back({std::move(request), std::move(responder)});
        wake_.notify_one();
        return;
      }
    }
    responder->Send(RouterError(503, "router_busy", "too many requests wait at the router"));
  }

  // POST /router/drain?host:port, from this machine only.
  net::Response Drain(const net::Request& request) {
    if (!request.peer.starts_with("127.") && !request.peer.starts_with("[::1]")) {
      return RouterError(403, "forbidden", "nodes are drained from the router's own machine only");
    }
    if (request.method != "POST") return RouterError(405, "method_not_allowed", "use POST");
    const int32_t node = nodes_.Find(request.query);
    if (node < 0) {
      return RouterError(404, "no_such_node",
                         fmt::format("`{}` is no node: write ?host:port", request.query));
    }
    nodes_.SetDraining(node, request.path == "/router/drain");
    return NodesPage(nodes_.Rows());
  }

  void Work() {
    for (;;) {
      Job job;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        job = std::move(queue_.front());
        queue_.pop_front();
      }
      job.routed = ReadRoutedRequest(job.request, options_.block_bytes);
      job.cancellation = std::make_shared<net::Cancellation>();
      job.responder->OnDisconnect([cancellation = job.cancellation] { cancellation->Cancel(); });
      const std::string_view picked = job.request.Header(kPicked);
      job.picked = !picked.empty();
      if (job.picked) {
        PassToPicked(job, Endpoints(picked));
      } else {
        Pass(job);
      }
    }
  }

  // Tries nodes until one answers, or all that may have been tried, or so many have broken over it
  // that the request itself may be what breaks them.
  void Pass(Job& job) {
    std::string last = "no node serves";
    while (job.broken < kMostBroken) {
      NodeTable::Lease lease = nodes_.Acquire(job.routed.wanted);
      if (lease.node < 0) break;
      if (Try(job, lease, last)) return;
      job.routed.wanted.excluded.push_back(lease.node);
    }
    Refuse(job, last);
  }

  void PassToPicked(Job& job, const std::vector<std::string_view>& endpoints) {
    std::string last = "none of the picked endpoints is a node that serves";
    for (const std::string_view endpoint : endpoints) {
      const int32_t node = nodes_.Find(endpoint);
      if (node < 0) continue;
      NodeTable::Lease lease = nodes_.Acquire(job.routed.wanted, node);
      if (lease.node >= 0 && Try(job, lease, last)) return;
    }
    Refuse(job, last);
  }

  void Refuse(Job& job, const std::string& why) {
    ++refused_;
    job.responder->Send(RouterError(503, "no_node", "no node answered: " + why));
  }

  // False where another node may be tried.
  bool Try(Job& job, NodeTable::Lease& lease, std::string& last) {
    job.sent = false;
    const bool done = job.routed.stream ? Stream(job, lease, last) : Whole(job, lease, last);
    if (!done) ++retries_;
    return done;
  }

  static net::ClientRequest RequestOf(const Job& job, const NodeTable::Lease& lease) {
    net::ClientRequest request;
    request.method = job.request.method;
    request.url = lease.url + Escaped(job.request.path);
    if (!job.request.query.empty()) request.url += "?" + job.request.query;
    for (const auto& [name, value] : job.request.headers) {
      if (!IsHop(name)) request.headers.emplace_back(name, value);
    }
    const std::string_view type = job.request.Header("Content-Type");
    if (!type.empty()) request.headers.emplace_back("Content-Type", type);
    request.body = job.request.body;
    return request;
  }

  net::ClientOptions ClientOptionsOf(Job& job) {
    return {.timeout = options_.answer_timeout,
            .pool = &pool_,
            .cancellation = job.cancellation.get(),
            .on_sent = [&job] { job.sent = true; }};
  }

  // After an exchange of which the client has heard nothing yet.
  bool Unanswered(Job& job, const NodeTable::Lease& lease, const Result<net::Response>& answer,
                  std::string& last) {
    if (!answer && answer.error().code == ErrorCode::kCancelled) return true;
    if (!answer && answer.error().code == ErrorCode::kInvalidArgument) {
      // Nothing was sent: the request is to blame, at every node alike, and no node is lost.
      job.responder->Send(RouterError(400, "bad_request", answer.error().message));
      return true;
    }
    if (!answer) {
      last = answer.error().message;
      nodes_.Lost(lease);
      if (job.sent) ++job.broken;
      return false;
    }
    if (answer->status == 503) {
      last = "the node is busy or ends";
      return false;
    }
    job.responder->Send(Passed(*answer, lease.url, job.picked));
    return true;
  }

  bool Whole(Job& job, const NodeTable::Lease& lease, std::string& last) {
    const auto answer = net::Fetch(RequestOf(job, lease), ClientOptionsOf(job));
    // Before the client hears of it: its next request must find the node free again.
    nodes_.Release(lease);
    return Unanswered(job, lease, answer, last);
  }

  bool Stream(Job& job, NodeTable::Lease& lease, std::string& last) {
    bool begun = false;
    net::Response head;
    const auto on_data = [&](std::string_view piece) {
      if (!begun) {
        begun = true;
        nodes_.Answered(lease);
        job.responder->Begin(Passed(std::move(head), lease.url, job.picked));
      }
      return job.responder->Write(std::string(piece));
    };
    net::ClientOptions options = ClientOptionsOf(job);
    options.on_head = [&head](const net::Response& answer) { head = answer; };
    const auto answer = net::FetchStream(RequestOf(job, lease), on_data, options);
    nodes_.Release(lease);
    if (!begun) return Unanswered(job, lease, answer, last);
    if (!answer && answer.error().code == ErrorCode::kCancelled) return true;
    if (!answer) {
      nodes_.Lost(lease);
      ++broken_;
      const net::Response told = RouterError(
          502, "node_lost", "the node was lost within its answer; send the request again");
      job.responder->Write("\n\ndata: " + told.body + "\n\n");
    }
    job.responder->End();
    return true;
  }

  const RouterOptions options_;
  NodeTable nodes_;
  net::ConnectionPool pool_;
  std::optional<NodeLooks> looks_;
  std::mutex mutex_;
  std::condition_variable wake_;  // a job, or the end
  std::deque<Job> queue_;
  bool stopping_ = false;
  std::atomic<int64_t> retries_ = 0, refused_ = 0, broken_ = 0;
  std::vector<std::jthread> workers_;
};

}  // namespace

Result<std::unique_ptr<Router>> Router::Create(RouterOptions options) {
  // A node that is named twice is one: its load, its drain and its metrics are not to be halved.
  std::vector<std::string> once;
  for (const std::string& url : options.nodes) {
    auto checked = NodeUrl(url);
    if (!checked) return Fail(checked.error().code, checked.error().message, "--node");
    if (std::ranges::find(once, *checked) == once.end()) once.push_back(*std::move(checked));
  }
  options.nodes = std::move(once);
  auto router = std::make_unique<RouterImpl>(std::move(options));
  router->Start();
  return router;
}

}  // namespace jikji
