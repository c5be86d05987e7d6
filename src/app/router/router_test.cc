#include "app/router/router.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <semaphore>
#include <thread>

#include "app/router/node_metrics.h"
#include "app/router/node_table.h"
#include "app/router/router_pages.h"
#include "base/test_rounds.h"
#include "net/client.h"
#include "net/server.h"

namespace jikji {
namespace {

// Something that happened once more.
class Signal {
 public:
  void Set() { signal_.release(); }
  bool Wait() { return signal_.try_acquire_for(std::chrono::seconds(20)); }

 private:
  std::counting_semaphore<> signal_{0};
};

// A node that tells what it was asked, and fails as it is told to.
class FakeNode {
 public:
  enum class Mode { kServe, kBusy, kCloseAtOnce, kHold };

  explicit FakeNode(std::string model = "m",
                    std::string metrics = "vllm:num_requests_running{a=\"b\"} 0\n")
      : model_(std::move(model)), metrics_(std::move(metrics)) {
    net::ServerOptions options;
    options.port = 0;
    auto server = net::Server::Start(options, [this](net::Request request, auto responder) {
      Answer(request, std::move(responder));
    });
    EXPECT_TRUE(server) << server.error().ToString();
    server_ = *std::move(server);
  }

  std::string endpoint() const { return "127.0.0.1:" + std::to_string(server_->port()); }
  std::string url() const { return "http://" + endpoint(); }
  void Stop() { server_.reset(); }

  std::atomic<Mode> mode = Mode::kServe;
  std::atomic<int> asked = 0;
  Signal held, left;  // kHold: a request came, and its client went away

 private:
  void Answer(const net::Request& request, std::shared_ptr<net::Responder> responder) {
    net::Response response;
    if (request.path == "/health") return responder->Send({});
    if (request.path == "/v1/models") {
      response.body = R"({"data": [{"id": ")" + model_ + "\"}]}";
      return responder->Send(response);
    }
    if (request.path == "/metrics") {
      response.body = metrics_;
      return responder->Send(response);
    }
    ++asked;
    switch (mode.load()) {
      case Mode::kBusy:
        response.status = 503;
        return responder->Send(response);
      case Mode::kCloseAtOnce: {
        response.content_type = "text/event-stream";
        responder->Begin(response);
        return;  // dropped: the connection is cut before any byte of the body
      }
      case Mode::kHold:
        responder->OnDisconnect([this, responder] { left.Set(); });
        return held.Set();
      case Mode::kServe:
        break;
    }
    response.headers.emplace_back("X-Request-Id", "req-7");
    if (request.body.find("\"stream\": true") != std::string::npos) {
      response.content_type = "text/event-stream";
      responder->Begin(response);
      responder->Write("data: one\n\n");
      responder->Write("data: two\n\n");
      return responder->End();
    }
    response.body = "{\"path\":\"" + request.path + "?" + request.query + "\",\"key\":\"" +
                    std::string(request.Header("Authorization")) + "\"}";
    responder->Send(response);
  }

  std::string model_, metrics_;
  std::unique_ptr<net::Server> server_;
};

// Pages as vLLM and llama-server write them, with so many requests of other clients.
std::string MockVllmPage(int running, int waiting) {
  return "# HELP vllm:num_requests_running Number of requests in model execution batches.\n"
         "# TYPE vllm:num_requests_running gauge\n"
         "vllm:num_requests_running{engine=\"0\",model_name=\"m\"} " +
         std::to_string(running) + ".0\nvllm:num_requests_waiting{engine=\"0\",model_name=\"m\"} " +
         std::to_string(waiting) +
         ".0\nvllm:kv_cache_usage_perc{engine=\"0\",model_name=\"m\"} 0.1\n"
         "vllm:cache_config_info{block_size=\"16\",engine=\"0\",num_gpu_blocks=\"27000\"} 1.0\n";
}

std::string MockLlamaServerPage(int running, int waiting) {
  return "# HELP llamacpp:requests_processing Number of requests processing.\n"
         "# TYPE llamacpp:requests_processing gauge\nllamacpp:requests_processing " +
         std::to_string(running) +
         "\n# HELP llamacpp:requests_deferred Number of requests deferred.\n"
         "# TYPE llamacpp:requests_deferred gauge\nllamacpp:requests_deferred " +
         std::to_string(waiting) + "\n";
}

struct Front {
  explicit Front(std::vector<std::string> nodes, fleet::RouteOptions route = {}) {
    RouterOptions options;
    options.nodes = std::move(nodes);
    options.route = route;
    options.workers = 8;
    options.look_interval = std::chrono::hours(1);  // what requests find out must be enough
    auto created = Router::Create(options);
    EXPECT_TRUE(created) << created.error().ToString();
    router = *std::move(created);
    net::ServerOptions listen;
    listen.port = 0;
    server = *net::Server::Start(listen, router->handler());
  }

  net::Response Send(std::string body, net::Headers headers = {},
                     std::string path = "/v1/chat/completions") const {
    net::ClientRequest request;
    request.method = "POST";
    request.url = "http://127.0.0.1:" + std::to_string(server->port()) + path;
    request.headers = std::move(headers);
    request.body = std::move(body);
    auto response = net::Fetch(request);
    EXPECT_TRUE(response) << response.error().ToString();
    return response ? *response : net::Response{};
  }

  std::unique_ptr<Router> router;
  std::unique_ptr<net::Server> server;
};

std::string Chat(const std::string& prompt, bool stream = false) {
  return std::string("{\"model\": \"m\", \"stream\": ") + (stream ? "true" : "false") +
         ", \"messages\": [{\"role\": \"user\", \"content\": \"" + prompt + "\"}]}";
}

std::string HeaderOf(const net::Response& response, std::string_view wanted) {
  for (const auto& [name, value] : response.headers) {
    if (name == wanted) return value;
  }
  return {};
}

std::string NodeOf(const net::Response& response) { return HeaderOf(response, "x-jikji-node"); }

TEST(Router, PassesRequestsAndAnswersThrough) {
  FakeNode node;
  const Front front({node.url()});
  EXPECT_EQ(front.router->serving_nodes(), 1u);
  const net::Response answer =
      front.Send(Chat("hi"), {{"Authorization", "Bearer k"}}, "/v1/chat/completions?a=b%20c");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"path":"/v1/chat/completions?a=b%20c","key":"Bearer k"})");
  EXPECT_EQ(NodeOf(answer), node.url());
  const net::Response stream = front.Send(Chat("hi", true));
  EXPECT_EQ(stream.body, "data: one\n\ndata: two\n\n");
  EXPECT_TRUE(stream.content_type.starts_with("text/event-stream"));
  EXPECT_EQ(HeaderOf(stream, "X-Request-Id"), "req-7");
  const auto head = net::Fetch(
      {.method = "HEAD",
       .url = "http://127.0.0.1:" + std::to_string(front.server->port()) + "/v1/chat/completions"});
  ASSERT_TRUE(head) << head.error().ToString();
  ASSERT_TRUE(head->file.has_value());
  EXPECT_EQ(head->file->length, std::string(R"({"path":"/v1/chat/completions?","key":""})").size());
}

TEST(Router, ConversationsStayWhereTheirPromptIsCached) {
  FakeNode a, b, c;
  const Front front({a.url(), b.url(), c.url()});
  std::string prompt(2000, 'x');
  const std::string first = NodeOf(front.Send(Chat(prompt)));
  for (int turn = 0; turn < 6; ++turn) {
    prompt += std::string(300, static_cast<char>('a' + turn));
    EXPECT_EQ(NodeOf(front.Send(Chat(prompt))), first);
  }
  // Another key's prompt is another prompt, however equal.
  front.Send(Chat(prompt), {{"Authorization", "Bearer other"}});
  EXPECT_EQ(a.asked + b.asked + c.asked, 8);
}

TEST(Router, LeavesAloneWhatMocksOfOtherEnginesTellIsBusy) {
  FakeNode busy_vllm("m", MockVllmPage(6, 2)), idle_vllm("m", MockVllmPage(0, 0));
  FakeNode busy_llama("m", MockLlamaServerPage(3, 5)), idle_llama("m", MockLlamaServerPage(0, 0));
  const Front front({busy_vllm.url(), idle_vllm.url(), busy_llama.url(), idle_llama.url()});
  ASSERT_EQ(front.router->serving_nodes(), 4u);
  for (char prompt = 'a'; prompt < 'i'; ++prompt) {
    EXPECT_EQ(front.Send(Chat(std::string(900, prompt))).status, 200);
  }
  EXPECT_EQ(busy_vllm.asked, 0);
  EXPECT_EQ(busy_llama.asked, 0);
  EXPECT_EQ(idle_vllm.asked, 4);
  EXPECT_EQ(idle_llama.asked, 4);
}

TEST(Router, RetriesBeforeTheFirstTokenWhereverItFails) {
  for (const auto mode : {FakeNode::Mode::kBusy, FakeNode::Mode::kCloseAtOnce}) {
    FakeNode bad, good;
    bad.mode = mode;
    const Front front({bad.url(), good.url()}, {.policy = fleet::RoutePolicy::kRoundRobin});
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(front.Send(Chat("hi", true)).body, "data: one\n\ndata: two\n\n");
      EXPECT_EQ(front.Send(Chat("hi")).status, 200);
    }
    EXPECT_GE(bad.asked, 1);
    EXPECT_EQ(good.asked, 8);
  }
}

TEST(Router, ARequestThatBreaksNodesIsNotTriedOnAll) {
  std::array<FakeNode, 6> nodes;
  std::vector<std::string> urls;
  for (FakeNode& node : nodes) {
    node.mode = FakeNode::Mode::kCloseAtOnce;
    urls.push_back(node.url());
  }
  const Front front(urls);
  for (const bool stream : {false, true}) {
    for (FakeNode& node : nodes) node.asked = 0;
    EXPECT_EQ(front.Send(Chat("of death", stream)).status, 503);
    EXPECT_EQ(std::ranges::count_if(nodes, [](const FakeNode& node) { return node.asked > 0; }), 3);
    if (!stream) {
      // The other half is left for the second turn.
      EXPECT_EQ(front.router->serving_nodes(), 3u);
    }
  }
}

TEST(Router, NodesThatAreNotThereCostARequestNothing) {
  std::array<FakeNode, 6> nodes;
  std::vector<std::string> urls;
  for (FakeNode& node : nodes) urls.push_back(node.url());
  const Front front(urls, {.policy = fleet::RoutePolicy::kRoundRobin});
  for (size_t i = 0; i + 1 < nodes.size(); ++i) nodes[i].Stop();
  const net::Response answer = front.Send(Chat("hi"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(NodeOf(answer), nodes.back().url());
}

TEST(Router, ALostNodeGetsNoMoreRequests) {
  FakeNode dying, good;
  const Front front({dying.url(), good.url()}, {.policy = fleet::RoutePolicy::kRoundRobin});
  const std::string url = dying.url();
  dying.Stop();
  for (int i = 0; i < 6; ++i) {
    const net::Response answer = front.Send(Chat("hi"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(NodeOf(answer), good.url());
  }
  EXPECT_EQ(front.router->serving_nodes(), 1u);
}

// A node of bare sockets: answers looks, and ends every other connection within its stream, after
// the first event has left.
class BreakingNode {
 public:
  BreakingNode() {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { Serve(); });
  }
  ~BreakingNode() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  void Serve() const {
    for (int fd; (fd = accept(listener_, nullptr, nullptr)) >= 0; close(fd)) {
      std::string request;
      char buffer[4096];
      // A body ends with the brace of its JSON; a look has none.
      while (!request.ends_with(request.starts_with("POST") ? "}" : "\r\n\r\n")) {
        const ssize_t count = recv(fd, buffer, sizeof buffer, 0);
        if (count <= 0) break;
        request.append(buffer, static_cast<size_t>(count));
      }
      const std::string answer =
          request.starts_with("POST")
              ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\ndata: first\n\n\r\n"
              : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
      send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  int listener_ = -1;
  uint16_t port_ = 0;
  std::jthread thread_;
};

TEST(Router, ABreakWithinAnAnswerIsTold) {
  const BreakingNode node;
  const Front front({node.url()});
  const net::Response answer = front.Send(Chat("hi", true));
  EXPECT_TRUE(answer.body.starts_with("data: first\n\n")) << answer.body;
  EXPECT_NE(answer.body.find("\"code\":\"node_lost\""), std::string::npos) << answer.body;
}

TEST(Router, DrainedNodesGetNothingNew) {
  FakeNode a, b;
  const Front front({a.url(), b.url()}, {.policy = fleet::RoutePolicy::kRoundRobin});
  EXPECT_EQ(front.Send("", {}, "/router/drain?" + a.endpoint()).status, 200);
  for (int i = 0; i < 4; ++i) front.Send(Chat("hi"));
  EXPECT_EQ(a.asked, 0);
  EXPECT_EQ(b.asked, 4);
  EXPECT_EQ(front.Send("", {}, "/router/undrain?" + a.endpoint()).status, 200);
  for (int i = 0; i < 4; ++i) front.Send(Chat("hi"));
  EXPECT_EQ(a.asked, 2);
  EXPECT_EQ(front.Send("", {}, "/router/drain?nobody:1").status, 404);
}

TEST(Router, AnEndpointPickerMayChoose) {
  FakeNode a, b;
  const Front front({a.url(), b.url()});
  for (int i = 0; i < 3; ++i) {
    const net::Response answer =
        front.Send(Chat("hi"), {{"x-gateway-destination-endpoint", b.endpoint()}});
    EXPECT_EQ(NodeOf(answer), b.url());
  }
  EXPECT_EQ(front.Send(Chat("hi"), {{"x-gateway-destination-endpoint", "10.0.0.9:1"}}).status, 503);
}

TEST(Router, AnEndpointPickersListIsTriedInOrder) {
  FakeNode a, b;
  a.mode = FakeNode::Mode::kBusy;
  const Front front({a.url(), b.url()});
  const net::Response answer = front.Send(
      Chat("hi"),
      {{"x-gateway-destination-endpoint", "10.0.0.9:1, " + a.endpoint() + " ," + b.endpoint()}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(a.asked, 1);
  EXPECT_EQ(HeaderOf(answer, "x-gateway-destination-endpoint-served"), b.endpoint());
}

TEST(Router, NodesComeAndGoWithTheirMembership) {
  FakeNode fixed, a, b;
  const Front front({fixed.url()}, {.policy = fleet::RoutePolicy::kRoundRobin});
  front.router->SetMembers({a.url(), fixed.url()});
  EXPECT_EQ(front.router->serving_nodes(), 2u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(front.Send(Chat("hi")).status, 200);
  EXPECT_EQ(a.asked, 2);
  // One goes and another comes, in its place; the fixed one stays.
  front.router->SetMembers({b.url()});
  EXPECT_EQ(front.router->serving_nodes(), 2u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(front.Send(Chat("hi")).status, 200);
  EXPECT_EQ(a.asked, 2);
  EXPECT_EQ(b.asked, 2);
  front.router->SetMembers({});
  EXPECT_EQ(front.router->serving_nodes(), 1u);
}

TEST(NodeTable, APlaceIsNotGivenAwayUnderAnAnswer) {
  NodeTable table({}, {});
  const auto first = table.SetMembers({"http://a:1"});
  ASSERT_EQ(first.size(), 1u);
  table.Seen(first[0], true, {"m"}, {});
  const NodeTable::Lease lease = table.Acquire({});
  EXPECT_EQ(lease.url, "http://a:1");
  const auto second = table.SetMembers({"http://b:1"});
  ASSERT_EQ(second.size(), 1u);
  EXPECT_NE(second[0].node, lease.node);
  EXPECT_EQ(table.Acquire({}).node, -1);  // one has left, the other was not seen yet
  table.Seen(first[0], true, {"m"}, {});  // a look that was under way changes nothing
  EXPECT_EQ(table.Serving(), 0u);
  table.Release(lease);
  const auto third = table.SetMembers({"http://b:1", "http://c:1"});
  ASSERT_EQ(third.size(), 1u);
  EXPECT_EQ(third[0].node, lease.node);
  EXPECT_EQ(table.Rows().size(), 2u);
}

// Two nodes, and where the next request without a prompt of its own goes.
struct TwoNodes {
  TwoNodes() {
    for (const NodeTable::Place& place : table.Places()) table.Seen(place, true, {"m"}, {});
  }
  std::string Next() {
    const NodeTable::Lease lease = table.Acquire({});
    table.Release(lease);
    return lease.url;
  }
  int CountOf(const std::string& url) {
    int count = 0;
    for (int i = 0; i < 10; ++i) count += Next() == url;
    return count;
  }

  NodeTable table{{"http://a:1", "http://b:1"}, {}};
};

NodeTable::Request Asking(int64_t prompt, int64_t output) {
  NodeTable::Request request;
  request.prompt_tokens = prompt;
  request.output_tokens = output;
  return request;
}

TEST(NodeTable, AnswersThatEndWithinALookAreNotTakenForOthersWork) {
  TwoNodes nodes;
  const NodeTable::Lease lease = nodes.table.Acquire(Asking(100, 10));
  const auto places = nodes.table.Places();
  const auto& place = places[static_cast<size_t>(lease.node)];
  // The node tells of it, and it ends before what the node told has come.
  nodes.table.Release(lease);
  nodes.table.Seen(place, true, {"m"}, {.running = 1});
  EXPECT_EQ(nodes.CountOf(lease.url), 5);  // idle as the other, which it takes turns with
  // One that has ended before the look can not be ours.
  nodes.table.Seen(nodes.table.Places()[static_cast<size_t>(lease.node)], true, {"m"},
                   {.running = 1});
  EXPECT_EQ(nodes.CountOf(lease.url), 0);
  nodes.table.Seen(nodes.table.Places()[static_cast<size_t>(lease.node)], true, {"m"}, {});
  EXPECT_EQ(nodes.CountOf(lease.url), 5);
}

TEST(NodeTable, APromptIsWorkUntilItsFirstToken) {
  TwoNodes nodes;
  NodeTable::Lease longer = nodes.table.Acquire(Asking(8000, 10));
  NodeTable::Lease shorter = nodes.table.Acquire(Asking(1000, 100));
  ASSERT_NE(longer.node, shorter.node);
  EXPECT_EQ(nodes.CountOf(longer.url), 0);
  nodes.table.Answered(longer);  // what is left of it is less than what is left of the other
  EXPECT_EQ(nodes.CountOf(longer.url), 10);
  nodes.table.Answered(shorter);
  EXPECT_EQ(nodes.CountOf(longer.url), 10);
  nodes.table.Release(longer);
  nodes.table.Release(shorter);
  EXPECT_EQ(nodes.CountOf(longer.url), 5);
}

TEST(Router, AClientThatLeavesEndsItsRequestAtTheNode) {
  FakeNode node;
  node.mode = FakeNode::Mode::kHold;
  const Front front({node.url()});
  for (const bool stream : {false, true}) {
    net::Cancellation leaving;
    std::jthread leaver([&] {
      EXPECT_TRUE(node.held.Wait());
      leaving.Cancel();
    });
    net::ClientRequest request;
    request.method = "POST";
    request.url = "http://127.0.0.1:" + std::to_string(front.server->port()) + "/v1/completions";
    request.body = Chat("hi", stream);
    EXPECT_FALSE(net::Fetch(request, {.cancellation = &leaving}));
    EXPECT_TRUE(node.left.Wait());
  }
  EXPECT_EQ(front.router->serving_nodes(), 1u);  // it is not the node's fault
}

TEST(Router, ModelsGoToTheNodesThatHaveThem) {
  FakeNode a("m"), b("other");
  const Front front({a.url(), b.url()});
  for (int i = 0; i < 4; ++i) front.Send(R"({"model": "other", "prompt": "x"})");
  EXPECT_EQ(b.asked, 4);
  front.Send(R"({"model": "m", "prompt": "x"})");
  EXPECT_EQ(a.asked, 1);
}

TEST(Router, ANodeThatIsAwayDoesNotTakeANameFromThoseThatServe) {
  NodeTable table({"http://old", "http://new"}, {});
  const auto places = table.Places();
  table.Seen(places[0], true, {"v1", "chat"}, {});
  table.Seen(places[1], true, {"v2", "chat"}, {});
  table.Seen(places[0], false, {}, {});
  NodeTable::Request request;
  request.model = "chat";
  EXPECT_EQ(table.Acquire(request).node, places[1].node);
}

TEST(Router, ARequestThatMakesNoUrlLosesNoNode) {
  FakeNode a, b;
  const Front front({a.url(), b.url()});
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(front.server->port());
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  const std::string_view text = "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  ASSERT_EQ(::send(socket, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  std::string answer(4096, 0);
  const ssize_t got = ::recv(socket, answer.data(), answer.size(), 0);
  ::close(socket);
  ASSERT_GT(got, 0);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_EQ(front.router->serving_nodes(), 2u);
  EXPECT_EQ(front.Send(Chat("hi")).status, 200);
}

TEST(Router, ANodeThatIsNamedTwiceIsOne) {
  FakeNode node;
  const Front front({node.url(), node.url() + "/"});
  EXPECT_EQ(front.router->serving_nodes(), 1u);
  EXPECT_EQ(front.Send("", {}, "/router/drain?" + node.endpoint()).status, 200);
  EXPECT_EQ(front.Send(Chat("hi")).status, 503);
}

// A node whose health page comes byte by byte and never ends.
TEST(Router, ANodeThatDripsDoesNotKeepTheLookAtOthers) {
  FakeNode fine;
  std::mutex mutex;
  std::vector<std::jthread> drips;
  net::ServerOptions listen;
  listen.port = 0;
  const auto dripping =
      *net::Server::Start(listen, [&](net::Request, std::shared_ptr<net::Responder> responder) {
        responder->Begin({});
        const std::lock_guard lock(mutex);
        drips.emplace_back([responder](const std::stop_token& stop) {
          std::mutex own;
          std::condition_variable_any tick;
          std::unique_lock held(own);
          while (!stop.stop_requested() && responder->Write("x")) {
            tick.wait_for(held, stop, std::chrono::milliseconds(20), [] { return false; });
          }
        });
      });
  RouterOptions options;
  options.nodes = {"http://127.0.0.1:" + std::to_string(dripping->port()), fine.url()};
  options.workers = 1;
  options.look_timeout = std::chrono::milliseconds(300);
  options.look_interval = std::chrono::hours(1);
  const auto router = Router::Create(options);  // looks once
  ASSERT_TRUE(router) << router.error().ToString();
  EXPECT_EQ((*router)->serving_nodes(), 1u);
  const std::lock_guard lock(mutex);
  EXPECT_FALSE(drips.empty());
  drips.clear();
}

TEST(Router, NoNodeIsAnErrorThatSaysSo) {
  FakeNode node;
  const std::string url = node.url();
  node.Stop();
  const Front front({url});
  const net::Response answer = front.Send(Chat("hi"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.body.find("no_node"), std::string::npos);
  RouterOptions bad;
  bad.nodes = {"https://secure:1"};
  EXPECT_EQ(Router::Create(bad).error().where, "--node");
}

TEST(NodeMetrics, ReadsVllmAndLlamaServer) {
  const NodeMetrics vllm = ParseNodeMetrics(
      "# HELP x\nvllm:num_requests_running{engine=\"0\",model_name=\"a}b\"} 3.0\n"
      "vllm:num_requests_waiting{engine=\"0\"} 2\nvllm:kv_cache_usage_perc{e=\"0\"} 0.25\n"
      "vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"1000\"} 1\nother 9\n");
  EXPECT_EQ(vllm.running, 3);
  EXPECT_EQ(vllm.waiting, 2);
  EXPECT_EQ(vllm.cache_use, 0.25);
  EXPECT_EQ(vllm.cache_tokens, 16'000);
  EXPECT_EQ(ParseNodeMetrics("llamacpp:requests_processing 4\n").running, 4);
}

TEST(NodeMetrics, WattsOfANodeAreThoseOfItsGpus) {
  EXPECT_EQ(ParseNodeMetrics("jikji:gpu_power_watts{uuid=\"a\",gpu=\"H200\"} 512.5\n"
                             "jikji:gpu_power_limit_watts{uuid=\"a\"} 700\n"
                             "jikji:gpu_power_watts{uuid=\"b\",gpu=\"H200\"} 400\n")
                .gpu_watts,
            912.5);
  const NodeTable::Row rows[] = {{"http://a:1", fleet::NodeState::kServing, 1, 2, 912.5},
                                 {"http://b:1", fleet::NodeState::kServing, 0, 0, 0}};
  EXPECT_NE(NodesPage(rows).body.find("\"gpu_watts\":9.125E2"), std::string::npos)
      << NodesPage(rows).body;
  const std::string text = MetricsPage(rows, {}).body;
  EXPECT_NE(text.find("jikji_router_gpu_watts{node=\"http://a:1\"} 912.5\n"), std::string::npos);
  EXPECT_EQ(text.find("jikji_router_gpu_watts{node=\"http://b:1\"}"), std::string::npos);
}

TEST(NodeMetrics, TakesAnyText) {
  std::mt19937_64 random(6);
  const std::string text =
      "vllm:num_requests_running{e=\"0\"} 1e30\nvllm:cache_config_info{block_size=\"1e300\"} 1\n";
  for (int round = 0; round < TestRounds(3000); ++round) {
    std::string broken = text;
    for (int i = 0; i < 4; ++i) broken[random() % broken.size()] = static_cast<char>(random());
    const NodeMetrics metrics = ParseNodeMetrics(broken);
    EXPECT_GE(metrics.running, 0);
    EXPECT_GE(metrics.cache_tokens, 0);
    EXPECT_LE(metrics.cache_use, 1);
  }
}

}  // namespace
}  // namespace jikji
