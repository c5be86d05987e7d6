// `jikji serve`: the model behind the OpenAI API and the chat page, until SIGTERM.
#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "api/gpu_metrics.h"
#include "api/service.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/embedded.h"
#include "app/engine_settings.h"
#include "app/hub_mount.h"
#include "app/listen_settings.h"
#include "app/login_settings.h"
#include "app/membership/registration_settings.h"
#include "app/model_digest.h"
#include "app/signal_wait.h"
#include "app/store_settings.h"
#include "base/log.h"
#include "base/version.h"
#include "govern/governor.h"
#include "kernels/isa.h"
#include "measure/gpu_monitor.h"

namespace jikji {
namespace {

struct Options {
  EngineSettings engine;
  StoreSettings store;
  LoginSettings login;
  int64_t store_patience = 600;
  std::string log_grade = "C";
  ListenSettings listen{8080};
  RegistrationSettings registration;
  std::vector<std::string> api_keys;
  std::vector<std::string> names;
  std::vector<std::string> adapters;
  std::vector<std::string> cors_origins;
  int64_t max_running = 64;
  int64_t max_queued = 256;
  int64_t step_tokens = 256;
  std::string guard;
  std::string hub;
  std::string log_level = "info";

  void AddTo(Settings& settings) {
    engine.AddTo(settings);
    store.AddTo(settings);
    login.AddTo(settings);
    settings.Add("store-patience", &store_patience,
                 {"Seconds for which known keys go on while the store does not answer",
                  "저장소가 응답하지 않을 때 알고 있는 키로 계속 서비스하는 시간(초)"},
                 1, 86400);
    settings.AddChoice("log-grade", &log_grade,
                       {"Highest grade of data that the audit log may tell of",
                        "감사 로그에 남겨도 되는 데이터의 최고 등급"},
                       {"C", "S", "O"});
    listen.AddTo(settings);
    registration.AddTo(settings);
    settings.Add("api-key", &api_keys,
                 {"Key that clients must send as a Bearer token; may be repeated",
                  "클라이언트가 Bearer 토큰으로 보내야 하는 키. 여러 번 쓸 수 있음"},
                 /*secret=*/true);
    settings.Add("name", &names,
                 {"Name of the model in the API; may be repeated",
                  "API에서 쓰는 모델 이름. 여러 번 쓸 수 있음"});
    settings.Add("adapter", &adapters,
                 {"NAME=FOLDER of a PEFT adapter, served beside the model; may be repeated",
                  "모델과 함께 서비스할 PEFT 어댑터. 이름=폴더. 여러 번 쓸 수 있음"});
    settings.Add("cors-origin", &cors_origins,
                 {"Origin whose pages may call the API from a browser; may be repeated",
                  "브라우저에서 API를 부를 수 있는 출처(Origin). 여러 번 쓸 수 있음"});
    settings.Add("max-running", &max_running,
                 {"Sequences generated together", "동시에 생성하는 시퀀스 수"}, 1, 4096);
    settings.Add("max-queued", &max_queued,
                 {"Requests that may wait; past it 503", "기다릴 수 있는 요청 수. 넘으면 503"}, 1,
                 1 << 20);
    settings.Add("step-tokens", &step_tokens,
                 {"Tokens of one engine step", "엔진 한 스텝의 토큰 수"}, 1, 1 << 16);
    settings.Add("guard", &guard,
                 {"Privacy guard over prompts and answers: default, mask, block, log, a TOML file "
                  "or TOML; nothing: off",
                  "요청과 답변의 개인정보 보호: default, mask, block, log, TOML 파일 또는 TOML. "
                  "없으면 끔"});
    settings.Add("hub", &hub,
                 {"Folder of a model hub to serve at the same address; made where it is absent",
                  "같은 주소에서 함께 서비스할 모델 허브 폴더. 없으면 만듦"});
    settings.AddChoice("log-level", &log_level,
                       {"What the log tells, and all above it", "이 수준 이상을 로그에 남김"},
                       {"debug", "info", "warning", "error"});
  }
};

// A line to paste into another terminal.
std::string CurlLine(const Options& options, const ModelDescription& model,
                     const std::string& url) {
  const std::string key = options.api_keys.empty() && options.store.store.empty()
                              ? ""
                              : " -H 'Authorization: Bearer YOUR_KEY'";
  return model.chat_template
             ? fmt::format(
                   "curl {}/v1/chat/completions{} -H 'Content-Type: application/json' -d "
                   "'{{\"messages\": [{{\"role\": \"user\", \"content\": "
                   "\"안녕하세요\"}}]}}'",
                   url, key)
             : fmt::format(
                   "curl {}/v1/completions{} -H 'Content-Type: application/json' -d "
                   "'{{\"prompt\": \"안녕하세요\"}}'",
                   url, key);
}

void PrintBanner(const Options& options, const LoadedEngine& loaded, uint16_t port) {
  const Engine& engine = *loaded.engine;
  const ModelDescription& model = engine.model();
  const std::string url = options.listen.Url(port);
  const auto row = [](std::string_view english, std::string_view korean, const std::string& text) {
    // Hangul is two columns wide.
    fmt::print("{}{}{}\n", Say(english, korean),
               std::string(SpeaksKorean() ? 12 - 2 * korean.size() / 3 : 12 - english.size(), ' '),
               text);
  };
  row("Jikji", "직지",
      url + std::string(model.chat_template ? Say("  (chat page)", "  (대화 화면)")
                                            : Say("  (no chat template: /v1/completions only)",
                                                  "  (채팅 템플릿 없음: /v1/completions만)")));
  std::string context = fmt::format(fmt::runtime(Say("{} tokens of context", "문맥 {}토큰")),
                                    engine.options().context);
  if (engine.options().context < model.spec.max_position) {
    context += fmt::format(fmt::runtime(Say(" of the model's {}; --kv-cache and --context set it",
                                            " (모델은 {}토큰. --kv-cache와 --context로 조절)")),
                           model.spec.max_position);
  }
  row("model", "모델",
      fmt::format("{}, {}", options.names.empty() ? model.name : options.names.front(), context));
  for (const AdapterDescription& adapter : model.adapters) {
    row("adapter", "어댑터",
        fmt::format(fmt::runtime(Say("{}, {} of rank {}", "{}, {} 랭크 {}")), adapter.name,
                    adapter.config.dora ? "DoRA" : "LoRA", adapter.config.rank));
  }
  row("processor", "명령어",
      fmt::format(fmt::runtime(Say("{}, {} thread(s)", "{}, 스레드 {}개")),
                  kernels::IsaName(kernels::ActiveIsa()), engine.options().threads));
  for (const LoadedEngine::Gpu& gpu : loaded.gpus) row("GPU", "GPU", gpu.name);
  row("loaded in", "로딩", fmt::format("{:.2f} s", loaded.load_seconds));
  if (!options.hub.empty()) {
    row("hub", "허브", fmt::format("export HF_ENDPOINT={} HF_HUB_DISABLE_XET=1", url));
  }
  row("try", "해보기", CurlLine(options, model, url));
  std::fflush(stdout);
  if (options.api_keys.empty() && options.store.store.empty() &&
      options.listen.host != "127.0.0.1" && options.listen.host != "localhost" &&
      options.listen.host != "::1") {
    Log(LogLevel::kWarning, Say("no API key is set: whoever reaches this address can use the model",
                                "API 키가 없습니다. 이 주소에 닿는 누구나 모델을 쓸 수 있습니다"));
  }
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

// nullptr where no store is given: one person's machine.
Result<std::unique_ptr<Governor>> OpenGovernor(const Options& options) {
  if (options.store.store.empty()) return nullptr;
  if (!options.api_keys.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "with --store, keys are made by `jikji tenant add-key`; leave --api-key out");
  }
  GovernorOptions governor;
  governor.store = options.store.store;
  JIKJI_ASSIGN(governor.pepper, options.store.ReadPepper());
  JIKJI_ASSIGN(governor.journal.folder, options.store.JournalPath());
  JIKJI_ASSIGN(governor.audit, options.store.AuditPath());
  JIKJI_ASSIGN(governor.log_grade, ParseGrade(options.log_grade));
  governor.patience = std::chrono::seconds(options.store_patience);
  return Governor::Open(std::move(governor));
}

// nullptr where the engine runs on none, or their driver tells nothing of them.
std::shared_ptr<const GpuMetrics> WatchGpus(const LoadedEngine& loaded) {
  if (loaded.gpus.empty()) return nullptr;
  auto monitor = measure::GpuMonitor::Open();
  if (!monitor) {
    Log(LogLevel::kWarning, monitor.error().ToString());
    return nullptr;
  }
  std::vector<size_t> watched;
  for (size_t number = 0; number < (*monitor)->gpus().size(); ++number) {
    const std::string& uuid = (*monitor)->gpus()[number].uuid;
    if (std::ranges::find(loaded.gpus, uuid, &LoadedEngine::Gpu::uuid) != loaded.gpus.end()) {
      watched.push_back(number);
    }
  }
  return std::make_shared<const GpuMetrics>(std::move(*monitor), watched);
}

Result<> Serve(Options& options) {
  JIKJI_ASSIGN(const LogLevel level, ParseLogLevel(options.log_level));
  SetLogLevel(level);
  for (const std::string& key : options.api_keys) {
    if (key.empty()) return Fail(ErrorCode::kInvalidArgument, "an API key is empty");
  }
  const SignalWait stop;
  // Before the engine, since what is in the engine when that ends is settled.
  JIKJI_ASSIGN(const std::unique_ptr<Governor> governor, OpenGovernor(options));
  JIKJI_ASSIGN(const std::unique_ptr<login::Login> login, options.login.Open(governor.get()));
  JIKJI_ASSIGN(EngineOptions engine_options, options.engine.Apply());
  engine_options.max_running = static_cast<int32_t>(options.max_running);
  engine_options.max_queued = static_cast<size_t>(options.max_queued);
  engine_options.step_tokens = static_cast<int32_t>(options.step_tokens);
  JIKJI_ASSIGN(const std::vector<NamedAdapter> adapters, ParseAdapters(options.adapters));
  // Beside the load, which reads the same files.
  std::future<Result<ModelDigests>> digests;
  if (governor != nullptr && governor->trail() != nullptr) {
    digests =
        std::async(std::launch::async, [&] { return DigestAll(options.engine.model, adapters); });
  }
  JIKJI_ASSIGN(LoadedEngine loaded, StartEngine(options.engine, engine_options, adapters));

  LocalPolicy policy;
  ApiOptions api;
  api.model_names = options.names;
  api.api_keys = options.api_keys;
  api.cors_origins = options.cors_origins;
  api.governor = governor.get();
  api.login = login.get();
  api.version = kVersion;
  api.gpu = WatchGpus(loaded);
  if (digests.valid()) {
    JIKJI_ASSIGN(ModelDigests known, digests.get());
    api.model_digest = std::move(known.model);
    api.adapter_digests = std::move(known.adapters);
  }
  if (!options.guard.empty()) {
    JIKJI_ASSIGN(const guard::Policy guard_policy, guard::LoadPolicy(options.guard));
    api.guard = guard::MakePrivacyGuard(guard_policy);
  }
  JIKJI_ASSIGN(auto service, Service::Create(*loaded.engine, policy, std::move(api)));
  AddPage(*service);
  std::unique_ptr<HubMount> hub;
  if (!options.hub.empty()) {
    JIKJI_ASSIGN(hub, HubMount::Open(options.hub, governor.get(), options.api_keys));
    if (options.listen.host != "127.0.0.1") JIKJI_RETURN_IF_ERROR(hub->WarnIfOpen());
  }
  JIKJI_ASSIGN(auto server,
               options.listen.Listen(hub ? hub->Beside(service->handler()) : service->handler(),
                                     [&](net::ServerOptions& set) {
                                       set.wants_body = service->wants_body();
                                       if (hub) hub->Configure(set);
                                     }));
  JIKJI_ASSIGN(const auto registration, options.registration.Start(options.listen, server->port()));
  PrintBanner(options, loaded, server->port());

  stop.Wait();
  if (registration) registration->Leave();  // first, so that routers send nothing more
  loaded.engine->StopAdmission();
  options.listen.Drain(*server);
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
