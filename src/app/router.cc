#include "app/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/json.hpp>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "app/node_table.h"
#include "base/json.h"
#include "base/log.h"
#include "fleet/prefix.h"
#include "net/client.h"

namespace jikji {
namespace {

// Bytes of text for a token: between English (four) and Korean (three).
constexpr size_t kBytesPerToken = 3;
constexpr size_t kMaxBlocks = 512;
// What an answer costs where the request sets no limit.
constexpr int64_t kUsualOutput = 256;

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

net::Response ErrorOf(int status, std::string_view code, std::string message) {
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

struct Job {
  net::Request request;
  std::shared_ptr<net::Responder> responder;
  NodeTable::Request wanted;
  bool stream = false;
};

// What routing needs of a body; a body that is not understood is the node's to refuse.
void ReadBody(const net::Request& request, size_t block_bytes, Job& job) {
  job.wanted.output_tokens = kUsualOutput;
  job.wanted.prompt_tokens = static_cast<int64_t>(request.body.size() / kBytesPerToken);
  const auto parsed = ParseJson(request.body);
  if (!parsed || !parsed->is_object()) return;
  const boost::json::object& body = parsed->as_object();
  if (const auto* stream = body.if_contains("stream")) {
    job.stream = stream->is_bool() && stream->as_bool();
  }
  job.wanted.model = OptionalString(body, "model").value_or(std::nullopt).value_or("");
  for (const char* key : {"max_completion_tokens", "max_tokens"}) {
    const auto limit = OptionalInt(body, key).value_or(std::nullopt);
    if (limit) job.wanted.output_tokens = std::clamp<int64_t>(*limit, 1, kUsualOutput);
  }
  // Tools and messages stand at the front of what the model reads, in this order.
  std::string text;
  for (const char* key : {"tools", "system", "messages", "prompt"}) {
    if (const auto* part = body.if_contains(key)) text += boost::json::serialize(*part);
  }
  job.wanted.prompt_tokens = static_cast<int64_t>(text.size() / kBytesPerToken);
  // Nobody's prompt is found by another's key.
  const uint64_t salt = std::hash<std::string_view>()(request.Header("Authorization"));
  job.wanted.prefix = fleet::PrefixHashes(text, block_bytes, kMaxBlocks, salt);
}

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
    stop_.notify_all();
    workers_.clear();
    looker_ = {};
  }

  void Start() {
    LookAtAll();
    looker_ = std::jthread([this] { KeepLooking(); });
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

 private:
  static fleet::RouteOptions RouteOptionsOf(const RouterOptions& options) {
    fleet::RouteOptions route = options.route;
    route.block_tokens =
        static_cast<int32_t>(std::max<size_t>(1, options.block_bytes / kBytesPerToken));
    return route;
  }

  // On a network thread.
  void Take(net::Request request, std::shared_ptr<net::Responder> responder) {
    if (request.path == "/health") return responder->Send(Health());
    if (request.path == "/metrics") return responder->Send(Metrics());
    if (request.path == "/router/nodes") return responder->Send(ListNodes());
    if (request.path == "/router/drain" || request.path == "/router/undrain") {
      return responder->Send(Drain(request));
    }
    {
      const std::lock_guard lock(mutex_);
      if (!stopping_ && queue_.size() < options_.max_queued) {
        Job& job = queue_.emplace_back();
        job.request = std::move(request);
        job.responder = std::move(responder);
        wake_.notify_one();
        return;
      }
    }
    responder->Send(ErrorOf(503, "router_busy", "too many requests wait at the router"));
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
      ReadBody(job.request, options_.block_bytes, job);
      Pass(job);
    }
  }

  // Tries nodes until one answers, or all that may have been tried.
  void Pass(Job& job) {
    const std::string_view picked = job.request.Header("x-gateway-destination-endpoint");
    int32_t wanted = picked.empty() ? -1 : nodes_.Find(picked);
    if (!picked.empty() && wanted < 0) {
      return job.responder->Send(
          ErrorOf(503, "no_such_node", fmt::format("`{}` is no node of this router", picked)));
    }
    std::string last = "no node serves";
    for (size_t attempt = 0; attempt < nodes_.size(); ++attempt) {
      const NodeTable::Lease lease = nodes_.Acquire(job.wanted, wanted);
      if (lease.node < 0) break;
      const bool done = job.stream ? Stream(job, lease.node, last) : Whole(job, lease.node, last);
      nodes_.Release(lease);
      if (done) return;
      ++retries_;
      job.wanted.excluded.push_back(lease.node);
    }
    ++refused_;
    job.responder->Send(ErrorOf(503, "no_node", fmt::format("no node answered: {}", last)));
  }

  net::ClientRequest At(const Job& job, int32_t node) const {
    net::ClientRequest request;
    request.method = job.request.method;
    request.url = nodes_.url(node) + Escaped(job.request.path);
    if (!job.request.query.empty()) request.url += "?" + job.request.query;
    for (const auto& [name, value] : job.request.headers) {
      if (!IsHop(name)) request.headers.emplace_back(name, value);
    }
    const std::string_view type = job.request.Header("Content-Type");
    if (!type.empty()) request.headers.emplace_back("Content-Type", type);
    request.body = job.request.body;
    return request;
  }

  net::Response Passed(net::Response answer, int32_t node) const {
    std::erase_if(answer.headers, [](const auto& field) { return IsHop(field.first); });
    answer.headers.emplace_back("x-jikji-node", nodes_.url(node));
    return answer;
  }

  // False where another node may be tried.
  bool Whole(Job& job, int32_t node, std::string& last) {
    auto answer = net::Fetch(At(job, node), {.timeout = options_.answer_timeout});
    if (!answer) {
      last = answer.error().message;
      nodes_.Lost(node);
      return false;
    }
    if (answer->status == 503) {
      last = "the node is busy or ends";
      return false;
    }
    job.responder->Send(Passed(*std::move(answer), node));
    return true;
  }

  bool Stream(Job& job, int32_t node, std::string& last) {
    bool begun = false;
    const auto gone = std::make_shared<std::atomic<bool>>(false);
    job.responder->OnDisconnect([gone] { *gone = true; });
    const auto answer = net::FetchStream(At(job, node),
                                         [&](std::string_view piece) {
                                           if (*gone) return false;
                                           if (!begun) {
                                             begun = true;
                                             net::Response head;
                                             head.content_type = "text/event-stream; charset=utf-8";
                                             job.responder->Begin(Passed(std::move(head), node));
                                           }
                                           return job.responder->Write(std::string(piece));
                                         },
                                         {.timeout = options_.answer_timeout});
    if (*gone) return true;
    if (!begun) {
      if (!answer) {
        last = answer.error().message;
        nodes_.Lost(node);
        return false;
      }
      if (answer->status == 503) {
        last = "the node is busy or ends";
        return false;
      }
      job.responder->Send(Passed(*answer, node));
      return true;
    }
    if (!answer) {
      nodes_.Lost(node);
      ++broken_;
      const net::Response told =
          ErrorOf(502, "node_lost", "the node was lost within its answer; send the request again");
      job.responder->Write("\n\ndata: " + told.body + "\n\n");
    }
    job.responder->End();
    return true;
  }

  // Looks.

  void KeepLooking() {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        stop_.wait_for(lock, options_.look_interval, [this] { return stopping_; });
        if (stopping_) return;
      }
      LookAtAll();
    }
  }

  void LookAtAll() {
    // Side by side, so that one that hangs hides no other.
    std::vector<std::jthread> looks;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      looks.emplace_back([this, i] { LookAt(static_cast<int32_t>(i)); });
    }
  }

  void LookAt(int32_t node) {
    const net::ClientOptions options{.timeout = options_.look_timeout};
    const auto get = [&](const char* path) {
      net::ClientRequest request;
      request.url = nodes_.url(node) + path;
      return net::Fetch(request, options);
    };
    const auto health = get("/health");
    if (!health || health->status != 200) return nodes_.Seen(node, false, {}, {});
    std::vector<std::string> models;
    if (const auto list = get("/v1/models"); list && list->status == 200) {
      models = ModelNames(list->body);
    }
    NodeMetrics metrics;
    if (const auto text = get("/metrics"); text && text->status == 200) {
      metrics = ParseNodeMetrics(text->body);
    }
    nodes_.Seen(node, true, models, metrics);
  }

  static std::vector<std::string> ModelNames(const std::string& body) {
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

  // The router's own routes.

  net::Response Health() const {
    net::Response response;
    const size_t serving = nodes_.Serving();
    response.status = serving > 0 ? 200 : 503;
    response.body = fmt::format(R"({{"status":"{}","serving_nodes":{},"nodes":{}}})",
                                serving > 0 ? "ok" : "no node serves", serving, nodes_.size());
    return response;
  }

  net::Response Metrics() const {
    net::Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = "# TYPE jikji_router_requests_total counter\n";
    const std::vector<NodeTable::Row> rows = nodes_.Rows();
    for (const NodeTable::Row& row : rows) {
      response.body +=
          fmt::format("jikji_router_requests_total{{node=\"{}\"}} {}\n", row.url, row.requests);
    }
    response.body += "# TYPE jikji_router_under_way gauge\n";
    for (const NodeTable::Row& row : rows) {
      response.body +=
          fmt::format("jikji_router_under_way{{node=\"{}\"}} {}\n", row.url, row.under_way);
    }
    response.body += fmt::format(
        "# TYPE jikji_router_retries_total counter\njikji_router_retries_total {}\n"
        "# TYPE jikji_router_refused_total counter\njikji_router_refused_total {}\n"
        "# TYPE jikji_router_broken_total counter\njikji_router_broken_total {}\n",
        retries_.load(), refused_.load(), broken_.load());
    return response;
  }

  net::Response ListNodes() const {
    boost::json::array list;
    for (const NodeTable::Row& row : nodes_.Rows()) {
      const char* state = row.state == fleet::NodeState::kServing    ? "serving"
                          : row.state == fleet::NodeState::kDraining ? "draining"
                                                                     : "down";
      list.push_back({{"node", row.url},
                      {"state", state},
                      {"under_way", row.under_way},
                      {"requests", row.requests}});
    }
    net::Response response;
    response.body = boost::json::serialize(list);
    return response;
  }

  // POST /router/drain?host:port, from this machine only.
  net::Response Drain(const net::Request& request) {
    if (!request.peer.starts_with("127.") && !request.peer.starts_with("[::1]")) {
      return ErrorOf(403, "forbidden", "nodes are drained from the router's own machine only");
    }
    if (request.method != "POST") return ErrorOf(405, "method_not_allowed", "use POST");
    const int32_t node = nodes_.Find(request.query);
    if (node < 0) {
      return ErrorOf(404, "no_such_node",
                     fmt::format("`{}` is no node: write ?host:port", request.query));
    }
    nodes_.SetDraining(node, request.path == "/router/drain");
    return ListNodes();
  }

  const RouterOptions options_;
  NodeTable nodes_;
  std::mutex mutex_;
  std::condition_variable wake_;  // a job, or the end: of one worker at a time
  std::condition_variable stop_;  // the end
  std::deque<Job> queue_;
  bool stopping_ = false;
  std::atomic<int64_t> retries_ = 0, refused_ = 0, broken_ = 0;
  std::vector<std::jthread> workers_;
  std::jthread looker_;
};

}  // namespace

Result<std::unique_ptr<Router>> Router::Create(RouterOptions options) {
  if (options.nodes.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "no node is named: --node http://HOST:PORT", "--node");
  }
  for (std::string& url : options.nodes) {
    while (url.ends_with('/')) url.pop_back();
    const bool plain = url.starts_with("http://") && url.find('/', 7) == std::string::npos &&
                       url.find_first_of("?#@ ") == std::string::npos && url.size() > 7;
    if (!plain) {
      return Fail(ErrorCode::kInvalidArgument, fmt::format("`{}` is not http://HOST:PORT", url),
                  "--node");
    }
  }
  auto router = std::make_unique<RouterImpl>(std::move(options));
  router->Start();
  return router;
}

}  // namespace jikji
