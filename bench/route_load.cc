// What `jikji route` adds to a request, and how many it passes on for each core that it uses.
//
//   route_load PROGRAM [SECONDS]      PROGRAM: build/release/jikji; 5 seconds a part, if not given
//
// The node is a mock: a server in this process that answers at once, so that nothing is measured
// but the way there and back. One client asks it by turns directly and through the router, which
// gives the added latency; then many clients ask through the router at once, and what the router's
// process used of the processor in that time gives requests per second and core.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "net/client.h"
#include "net/server.h"

extern char** environ;

namespace jikji {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kClients = 32;

// About 200 tokens of prompt.
std::string Body(int client, bool stream) {
  return std::string(R"({"model":"mock","stream":)") + (stream ? "true" : "false") +
         R"(,"messages":[{"role":"user","content":")" + std::to_string(client) +
         std::string(600, 'x') + "\"}]}";
}

std::unique_ptr<net::Server> StartMockNode() {
  net::ServerOptions options;
  options.port = 0;
  auto server = net::Server::Start(options, [](net::Request request, auto responder) {
    net::Response response;
    if (request.path == "/v1/models") {
      response.body = R"({"data":[{"id":"mock"}]})";
    } else if (request.path == "/metrics") {
      response.body = "vllm:num_requests_running 0\n";
    } else if (request.body.find(R"("stream":true)") != std::string::npos) {
      responder->Begin(response);
      responder->Write("data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n");
      responder->Write("data: [DONE]\n\n");
      return responder->End();
    } else {
      response.body = R"({"choices":[{"message":{"role":"assistant","content":"hi"}}]})";
    }
    responder->Send(response);
  });
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().ToString().c_str());
    std::exit(1);
  }
  return *std::move(server);
}

// `jikji route` in a process of its own.
class RouterProcess {
 public:
  RouterProcess(const std::string& program, const std::string& node) {
    int out[2];
    if (pipe2(out, O_CLOEXEC) != 0) std::abort();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::vector<std::string> words = {program, "route", "--port", "0", "--node", node};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const int failed =
        posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    std::string text;
    char buffer[512];
    ssize_t count = 0;
    while (failed == 0 && text.find('\n') == std::string::npos &&
           (count = read(out[0], buffer, sizeof buffer)) > 0) {
      text.append(buffer, static_cast<size_t>(count));
    }
    close(out[0]);
    const size_t at = text.find("http://");
    if (at == std::string::npos) {
      std::fprintf(stderr, "%s route did not start\n", program.c_str());
      std::exit(1);
    }
    url_ = text.substr(at, text.find(' ', at) - at);
  }
  ~RouterProcess() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }

  const std::string& url() const { return url_; }

  // Seconds of processor that all its threads have used.
  double CpuSeconds() const {
    std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
    std::string line;
    std::getline(file, line);
    std::istringstream fields(line.substr(line.rfind(')') + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0, system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }

 private:
  pid_t pid_ = -1;
  std::string url_;
};

// Microseconds of one exchange; the process ends where it fails.
double Ask(net::ConnectionPool& pool, const std::string& url, const std::string& body) {
  const auto start = Clock::now();
  const auto answer = net::Fetch({.method = "POST",
                                  .url = url + "/v1/chat/completions",
                                  .headers = {{"Content-Type", "application/json"}},
                                  .body = body},
                                 {.pool = &pool});
  if (!answer || answer->status != 200) {
    std::fprintf(stderr, "a request failed: %s\n",
                 answer ? answer->body.c_str() : answer.error().ToString().c_str());
    std::exit(1);
  }
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

double Quantile(std::vector<double>& values, double share) {
  std::ranges::sort(values);
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

void Latency(const std::string& node, const std::string& router, bool stream, double seconds) {
  net::ConnectionPool pool;
  const std::string body = Body(0, stream);
  std::vector<double> direct, routed;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    direct.push_back(Ask(pool, node, body));
    routed.push_back(Ask(pool, router, body));
  }
  const double d50 = Quantile(direct, 0.5), d99 = Quantile(direct, 0.99);
  const double r50 = Quantile(routed, 0.5), r99 = Quantile(routed, 0.99);
  std::printf(
      "%-8s  direct p50 %4.0f p99 %4.0f us  routed p50 %4.0f p99 %4.0f us  "
      "added p50 %.0f p99 %.0f us  (%zu pairs)\n",
      stream ? "streamed" : "plain", d50, d99, r50, r99, r50 - d50, r99 - d99, direct.size());
}

void Rate(const RouterProcess& router, bool stream, double seconds) {
  std::atomic<int64_t> answered = 0;
  const auto start = Clock::now();
  const double cpu = router.CpuSeconds();
  const auto end = start + std::chrono::duration<double>(seconds);
  {
    std::vector<std::jthread> clients;
    for (int client = 0; client < kClients; ++client) {
      clients.emplace_back([&, client] {
        net::ConnectionPool pool;
        const std::string body = Body(client, stream);
        while (Clock::now() < end) {
          Ask(pool, router.url(), body);
          ++answered;
        }
      });
    }
  }
  const double used = router.CpuSeconds() - cpu;
  const double took = std::chrono::duration<double>(Clock::now() - start).count();
  const auto count = static_cast<double>(answered.load());
  std::printf("%-8s  %d clients: %.0f requests/s with %.2f cores: %.0f requests/s and core\n",
              stream ? "streamed" : "plain", kClients, count / took, used / took, count / used);
}

}  // namespace
}  // namespace jikji

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "route_load PROGRAM [SECONDS]\n");
    return 2;
  }
  const double seconds = argc > 2 ? std::atof(argv[2]) : 5;
  const auto node = jikji::StartMockNode();
  const std::string url = "http://127.0.0.1:" + std::to_string(node->port());
  const jikji::RouterProcess router(argv[1], url);
  std::printf("a mock node that answers at once; bodies of 700 bytes\n");
  for (const bool stream : {false, true}) jikji::Latency(url, router.url(), stream, seconds);
  for (const bool stream : {false, true}) jikji::Rate(router, stream, seconds);
  return 0;
}
