#include "app/engine_settings.h"

#include <fmt/format.h>

#include <chrono>

#include "app/console.h"
#include "app/device_model.h"
#include "app/model_path.h"
#include "app/replicated_engine.h"
#include "kernels/isa.h"

namespace jikji {
namespace {

constexpr int64_t kMostThreads = 1024;
constexpr int64_t kMostRanks = 64;
constexpr int64_t kMostContext = 1 << 24;
constexpr double kMostSlowdown = 1000;

}  // namespace

void EngineSettings::AddTo(Settings& settings) {
  settings.Add("model", &model,
               {"Model: a folder, a .gguf file or a name; empty: the built-in one",
                "모델: 폴더, .gguf 파일 또는 이름. 비우면 내장 모델"});
  settings.Add(
      "device", &device,
      {"What computes: cpu, an NVIDIA GPU, as cuda:0, or several with a copy of the model "
       "each, as cuda:0,1",
       "계산할 장치: cpu, cuda:0 같은 NVIDIA GPU, 또는 모델을 하나씩 올릴 cuda:0,1 같은 여러 GPU"});
  settings.Add("tensor-parallel", &tensor_parallel,
               {"GPUs that compute one copy of the model together, each a part of it: with 2, "
                "cuda:0,1,2,3 are two copies. Needs NCCL; changes no token",
                "모델 하나를 나누어 함께 계산할 GPU 수. 2면 cuda:0,1,2,3에 모델이 두 벌. NCCL이 "
                "필요하고 결과는 바뀌지 않음"},
               1, kMostRanks);
  settings.Add("threads", &threads,
               {"Threads of the kernels; 0: one a core", "연산 스레드 수. 0이면 코어마다 하나"}, 0,
               kMostThreads);
  settings.Add("context", &context,
               {"Tokens of one conversation; 0: as the model and memory allow",
                "대화 하나의 토큰 수. 0이면 모델과 메모리가 허용하는 만큼"},
               0, kMostContext);
  settings.AddBytes("kv-cache", &kv_cache, {"Memory of the KV cache", "KV 캐시 메모리"});
  settings.AddChoice(
      "kv-dtype", &kv_dtype,
      {"Type of the KV cache; Q8_0 and F8_E4M3 (on a GPU too) take half of F16's memory",
       "KV 캐시 자료형. Q8_0과 (GPU에서도 되는) F8_E4M3은 F16의 절반만 차지함"},
      {"F16", "F32", "Q8_0", "F8_E4M3"});
  settings.Add(
      "prefill-slowdown", &prefill_slowdown,
      {"Prompts may make a step of running streams so many times as long; 0: no limit",
       "프롬프트가 진행 중인 응답의 한 단계를 최대 몇 배까지 늘릴 수 있는지. 0이면 제한 없음"},
      0, kMostSlowdown);
  settings.Add("speculate", &speculate,
               {"Drafts a step may check for each stream; 0: none. They change no token",
                "한 단계에서 응답마다 미리 짐작해 확인할 토큰 수. 0이면 끔. 결과는 바뀌지 않음"},
               0, kMostDrafts);
  settings.Add("prefix-cache", &prefix_cache,
               {"Compute the common beginning of prompts once",
                "프롬프트가 같게 시작하는 부분은 한 번만 계산"});
  settings.AddChoice("isa", &isa,
                     {"Instruction set; empty: the best", "명령어 집합. 비우면 가장 좋은 것"},
                     {"", "portable", "avx2", "avx512-vnni", "avx512-bf16"});
}

Result<EngineOptions> EngineSettings::Apply() const {
  EngineOptions options;
  options.threads = static_cast<size_t>(threads);
  options.context = context;
  options.kv_bytes = kv_cache;
  options.prefill_slowdown = prefill_slowdown;
  options.speculate = static_cast<int32_t>(speculate);
  options.prefix_cache = prefix_cache;
  options.kv_dtype = ParseDType(kv_dtype).value_or(DType::kF16);  // a choice above, so a name
  if (!isa.empty()) {
    JIKJI_ASSIGN(const kernels::Isa wanted, kernels::ParseIsa(isa));
    JIKJI_RETURN_IF_ERROR(kernels::SetIsa(wanted));
  }
  return options;
}

Result<std::vector<NamedAdapter>> ParseAdapters(std::span<const std::string> given) {
  std::vector<NamedAdapter> adapters;
  for (const std::string& each : given) {
    const size_t end = each.find('=');
    if (end == std::string::npos || end == 0 || end + 1 == each.size()) {
      return Fail(ErrorCode::kInvalidArgument, "an adapter is given as NAME=FOLDER", each);
    }
    adapters.push_back({each.substr(0, end), each.substr(end + 1)});
  }
  return adapters;
}

Result<LoadedEngine> StartEngine(const EngineSettings& settings, EngineOptions options,
                                 std::span<const NamedAdapter> adapters) {
  JIKJI_ASSIGN(const std::filesystem::path path, FindModel(settings.model));
  JIKJI_ASSIGN(std::vector<GpuGroup> copies, OpenGpus(settings.device, settings.tensor_parallel));
  const auto start = std::chrono::steady_clock::now();
  Progress progress(
      fmt::format(fmt::runtime(Say("loading {}", "{} 불러오는 중")), path.filename().string()));
  std::vector<std::filesystem::path> folders;
  for (const NamedAdapter& adapter : adapters) folders.emplace_back(adapter.folder);
  LoadedEngine loaded;
  for (const GpuGroup& devices : copies) {
    for (const auto& device : devices) {
      loaded.gpus.push_back({device->properties().name, device->properties().uuid});
    }
  }
  if (copies.empty()) copies.emplace_back();  // the processor
  std::vector<std::unique_ptr<Engine>> replicas;
  for (const GpuGroup& devices : copies) {
    const auto show = [&](double share) {
      progress.Show((static_cast<double>(replicas.size()) + share) /
                    static_cast<double>(copies.size()));
    };
    JIKJI_ASSIGN(Model model, LoadModelOn(devices, path, options, show, folders));
    for (const NamedAdapter& adapter : adapters) {
      JIKJI_RETURN_IF_ERROR(AddAdapter(model, adapter.name, adapter.folder));
    }
    JIKJI_ASSIGN(auto replica, Engine::Start(std::move(model), options));
    replicas.push_back(std::move(replica));
  }
  loaded.engine = replicas.size() == 1 ? std::move(replicas.front())
                                       : std::make_unique<ReplicatedEngine>(std::move(replicas));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  loaded.load_seconds = took.count();
  return loaded;
}

}  // namespace jikji
