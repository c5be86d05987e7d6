// `jikji route`: one address in front of many serving nodes, until SIGTERM.
#include <fmt/format.h>

#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/listen_settings.h"
#include "app/membership/node_watch.h"
#include "app/router/router.h"
#include "app/signal_wait.h"

namespace jikji {
namespace {

struct Options {
  ListenSettings listen{8090};
  std::vector<std::string> nodes;
  std::vector<std::string> etcd;
  std::string etcd_prefix = kNodePrefix;
  std::string policy = "bounded";
  double bound = 1.25;
  int64_t workers = 256;
  int64_t max_queued = 1024;
  double look_seconds = 1;

  void AddTo(Settings& settings) {
    settings.Add("node", &nodes,
                 {"A node, http://HOST:PORT; may be repeated",
                  "노드 주소, http://HOST:PORT. 여러 번 쓸 수 있음"});
    settings.Add("etcd", &etcd,
                 {"etcd whose registered nodes are followed, http://HOST:PORT; may be repeated",
                  "등록된 노드를 따라갈 etcd, http://HOST:PORT. 여러 번 쓸 수 있음"});
    settings.Add("etcd-prefix", &etcd_prefix,
                 {"Beginning of the keys of nodes", "노드 키의 앞부분"});
    listen.AddTo(settings);
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
  }
};

Result<> Run(Options& options) {
  if (options.nodes.empty() && options.etcd.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "no node is named: --node http://HOST:PORT, or --etcd http://HOST:PORT", "--node");
  }
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
  std::unique_ptr<NodeWatch> watch;
  if (!options.etcd.empty()) {
    NodeWatchOptions watching;
    watching.etcd = options.etcd;
    watching.prefix = options.etcd_prefix;
    JIKJI_ASSIGN(watch, NodeWatch::Start(watching, [&router](std::vector<std::string> urls) {
                   router->SetMembers(urls);
                 }));
  }
  JIKJI_ASSIGN(const auto server, options.listen.Listen(router->handler()));
  fmt::print(fmt::runtime(Say("Jikji router  {}  {} nodes serve, {}\n",
                              "직지 라우터  {}  노드 {}개 서비스 중, {}\n")),
             options.listen.Url(server->port()), router->serving_nodes(), options.policy);
  std::fflush(stdout);
  stop.Wait();
  options.listen.Drain(*server);
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
