// `jikji route`: one address in front of many serving nodes, until SIGTERM.
#include <fmt/format.h>

#include "api/service.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/router.h"
#include "app/signal_wait.h"
#include "base/log.h"
#include "net/server.h"

namespace jikji {
namespace {

struct Options {
  std::vector<std::string> nodes;
  std::string host = "127.0.0.1";
  int64_t port = 8090;
  std::string policy = "bounded";
  double bound = 1.25;
  int64_t workers = 256;
  int64_t max_queued = 1024;
  double look_seconds = 1;
  int64_t network_threads = 1;
  int64_t max_connections = 16384;
  uint64_t max_body = 8u << 20;
  int64_t drain_seconds = 30;

  void AddTo(Settings& settings) {
    settings.Add("node", &nodes,
                 {"A node, http://HOST:PORT; may be repeated",
                  "노드 주소, http://HOST:PORT. 여러 번 쓸 수 있음"});
    settings.Add("host", &host, {"Address to listen on", "접속을 받을 주소"});
    settings.Add(
        "port", &port,
        {"Port to listen on; 0: any free one", "접속을 받을 포트. 0이면 비어 있는 아무 포트"}, 0,
        65535);
    settings.AddChoice(
        "policy", &policy, {"How a node is chosen", "노드를 고르는 방법"},
        {"bounded", "round-robin", "least-requests", "prefix-affinity", "llm-d", "dynamo"});
    settings.Add("bound", &bound,
                 {"Most work of a node over the mean, before a cached prompt goes elsewhere",
                  "캐시가 있어도 다른 노드로 보내기 시작하는, 평균 대비 노드의 일"},
                 1, 100);
    settings.Add("workers", &workers, {"Answers passed on at once", "동시에 전달하는 답변 수"}, 1,
                 4096);
    settings.Add("max-queued", &max_queued,
                 {"Requests that may wait; past it 503", "기다릴 수 있는 요청 수. 넘으면 503"}, 1,
                 1 << 20);
    settings.Add(
        "look-seconds", &look_seconds,
        {"Between looks at a node's health and metrics", "노드 상태와 지표를 보는 간격(초)"}, 0.01,
        3600);
    settings.Add("network-threads", &network_threads, {"Threads for sockets", "소켓 스레드 수"}, 1,
                 256);
    settings.Add("max-connections", &max_connections, {"Connections held at once", "동시 연결 수"},
                 1, 1 << 20);
    settings.AddBytes("max-body", &max_body, {"Largest request body", "요청 본문의 최대 크기"});
    settings.Add(
        "drain-seconds", &drain_seconds,
        {"After SIGTERM, time for answers to end", "SIGTERM 뒤 답변이 끝나기를 기다리는 시간(초)"},
        0, 86400);
  }
};

Result<> Run(Options& options) {
  const SignalWait stop;
  RouterOptions router_options;
  router_options.nodes = options.nodes;
  JIKJI_ASSIGN(router_options.route.policy, fleet::ParseRoutePolicy(options.policy));
  router_options.route.bound = options.bound;
  router_options.workers = static_cast<size_t>(options.workers);
  router_options.max_queued = static_cast<size_t>(options.max_queued);
  router_options.look_interval =
      std::chrono::milliseconds(static_cast<int64_t>(options.look_seconds * 1000));
  JIKJI_ASSIGN(const std::unique_ptr<Router> router, Router::Create(router_options));
  net::ServerOptions listen;
  listen.address = options.host;
  listen.port = static_cast<uint16_t>(options.port);
  listen.threads = static_cast<size_t>(options.network_threads);
  listen.max_connections = static_cast<size_t>(options.max_connections);
  listen.max_body_bytes = options.max_body;
  listen.error_body = &Service::ErrorBody;
  JIKJI_ASSIGN(const auto server, net::Server::Start(listen, router->handler()));
  fmt::print(fmt::runtime(Say("Jikji router  http://{}:{}  {} of {} nodes serve, {}\n",
                              "직지 라우터  http://{}:{}  노드 {}/{} 서비스 중, {}\n")),
             options.host, server->port(), router->serving_nodes(), options.nodes.size(),
             options.policy);
  std::fflush(stdout);
  stop.Wait();
  Log(LogLevel::kInfo, "stopping: answers in flight may end");
  if (!server->Drain(std::chrono::seconds(options.drain_seconds))) {
    Log(LogLevel::kWarning, "some answers did not end in time and were cut");
  }
  return {};
}

}  // namespace

void AddRouteCommand(Program& program) {
  program.Add("route",
              Say("Route requests to many serving nodes, by what they cache and how busy they are",
                  "요청을 여러 노드로 나눕니다. 캐시와 부하를 보고 고름"),
              &Run);
}

}  // namespace jikji
