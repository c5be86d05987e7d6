// `jikji serve`: the model behind the OpenAI API and the chat page, until SIGTERM.
#include <fmt/format.h>
#include <signal.h>

#include <thread>

#include "api/service.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/embedded.h"
#include "app/engine_settings.h"
#include "base/log.h"
#include "base/version.h"
#include "kernels/isa.h"
#include "net/server.h"

namespace jikji {
namespace {

struct Options {
  EngineSettings engine;
  std::string host = "127.0.0.1";
  int64_t port = 8080;
  std::vector<std::string> api_keys;
  std::vector<std::string> names;
  std::vector<std::string> cors_origins;
  int64_t max_running = 64;
  int64_t max_queued = 256;
  int64_t step_tokens = 256;
  int64_t network_threads = 1;
  int64_t max_connections = 16384;
  uint64_t max_body = 8u << 20;
  int64_t drain_seconds = 30;
  std::string log_level = "info";

  void AddTo(Settings& settings) {
    engine.AddTo(settings);
    settings.Add("host", &host, "Address to listen on; 0.0.0.0 for every interface");
    settings.Add("port", &port, "Port to listen on; 0: any free one", 0, 65535);
    settings.Add("api-key", &api_keys,
                 "Key that clients must send as a Bearer token; may be repeated",
                 /*secret=*/true);
    settings.Add("name", &names, "Name of the model in the API; may be repeated");
    settings.Add("cors-origin", &cors_origins,
                 "Origin whose pages may call the API from a browser; may be repeated");
    settings.Add("max-running", &max_running, "Sequences generated together", 1, 4096);
    settings.Add("max-queued", &max_queued, "Requests that may wait; past it 503", 1, 1 << 20);
    settings.Add("step-tokens", &step_tokens, "Tokens of one engine step", 1, 1 << 16);
    settings.Add("network-threads", &network_threads, "Threads for sockets", 1, 256);
    settings.Add("max-connections", &max_connections, "Connections held at once", 1, 1 << 20);
    settings.AddBytes("max-body", &max_body, "Largest request body");
    settings.Add("drain-seconds", &drain_seconds, "After SIGTERM, time for answers to end", 0,
                 86400);
    settings.Add("log-level", &log_level, "debug, info, warning or error");
  }
};

// Blocks SIGINT and SIGTERM in this thread and those it starts, so that Wait sees them.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  // Returns at the first signal; a second one ends the process at once.
  void Wait() const {
    int signal = 0;
    sigwait(&set_, &signal);
    pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
  }

 private:
  sigset_t set_;
};

std::string Url(const std::string& host, uint16_t port) {
  const std::string shown = host == "0.0.0.0" || host == "::" ? "127.0.0.1" : host;
  return shown.find(':') == std::string::npos ? fmt::format("http://{}:{}", shown, port)
                                              : fmt::format("http://[{}]:{}", shown, port);
}

void PrintBanner(const Options& options, const LoadedEngine& loaded, uint16_t port) {
  const Engine& engine = *loaded.engine;
  const std::string url = Url(options.host, port);
  const std::string& name = options.names.empty() ? engine.model().name : options.names.front();
  const std::string key =
      options.api_keys.empty() ? "" : " -H 'Authorization: Bearer $JIKJI_API_KEY'";
  fmt::print("{:<10} {}   ({})\n", Say("Jikji", "직지"), url, Say("chat page", "대화 화면"));
  fmt::print("{:<10} {}, {} {}\n", Say("model", "모델"), name, engine.options().context,
             Say("tokens of context", "토큰 문맥"));
  fmt::print("{:<10} {}, {} {}\n", Say("processor", "연산"), kernels::IsaName(kernels::ActiveIsa()),
             engine.options().threads, Say("threads", "스레드"));
  fmt::print("{:<10} {:.2f} s\n", Say("loaded in", "적재 시간"), loaded.load_seconds);
  fmt::print(
      "{:<10} curl {}/v1/chat/completions{} -H 'Content-Type: application/json' "
      "-d '{{\"messages\": [{{\"role\": \"user\", \"content\": \"안녕하세요\"}}]}}'\n",
      Say("try", "해 보기"), url, key);
  std::fflush(stdout);
}

net::ServerOptions ServerOptionsOf(const Options& options) {
  net::ServerOptions server;
  server.address = options.host;
  server.port = static_cast<uint16_t>(options.port);
  server.threads = static_cast<size_t>(options.network_threads);
  server.max_connections = static_cast<size_t>(options.max_connections);
  server.max_body_bytes = options.max_body;
  server.error_body = &Service::ErrorBody;
  return server;
}

std::string_view ContentType(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  return "application/octet-stream";
}

void AddPage(Service& service) {
  for (const EmbeddedFile& file : WebFiles()) {
    const std::string path = file.name == "index.html" ? "/" : "/" + std::string(file.name);
    service.AddStatic(path, std::string(ContentType(file.name)), std::string(file.content));
  }
}

Result<> Serve(Options& options) {
  JIKJI_ASSIGN(const LogLevel level, ParseLogLevel(options.log_level));
  SetLogLevel(level);
  for (const std::string& key : options.api_keys) {
    if (key.empty()) return Fail(ErrorCode::kInvalidArgument, "an API key is empty");
  }
  const StopSignals stop;
  JIKJI_ASSIGN(EngineOptions engine_options, options.engine.Apply());
  engine_options.max_running = static_cast<int32_t>(options.max_running);
  engine_options.max_queued = static_cast<size_t>(options.max_queued);
  engine_options.step_tokens = static_cast<int32_t>(options.step_tokens);
  JIKJI_ASSIGN(LoadedEngine loaded, StartEngine(options.engine.model, engine_options));

  LocalPolicy policy;
  ApiOptions api;
  api.model_names = options.names;
  api.api_keys = options.api_keys;
  api.cors_origins = options.cors_origins;
  api.version = kVersion;
  JIKJI_ASSIGN(auto service, Service::Create(*loaded.engine, policy, std::move(api)));
  AddPage(*service);
  JIKJI_ASSIGN(auto server, net::Server::Start(ServerOptionsOf(options), service->handler()));
  PrintBanner(options, loaded, server->port());

  stop.Wait();
  Log(LogLevel::kInfo, "stopping: answers in flight may end");
  loaded.engine->StopAdmission();
  if (!server->Drain(std::chrono::seconds(options.drain_seconds))) {
    Log(LogLevel::kWarning, "some answers did not end in time and were cut");
  }
  return {};
}

}  // namespace

void AddServeCommand(Program& program) {
  program.Add("serve",
              Say("Serve a model behind the OpenAI API, with a chat page",
                  "OpenAI API와 대화 화면으로 모델을 서비스합니다"),
              &Serve);
}

}  // namespace jikji
