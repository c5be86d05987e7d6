#include "app/engine_settings.h"

#include <fmt/format.h>

#include <chrono>

#include "app/console.h"
#include "app/model_path.h"
#include "kernels/isa.h"

namespace jikji {
namespace {

constexpr int64_t kMostThreads = 1024;
constexpr int64_t kMostContext = 1 << 24;

}  // namespace

void EngineSettings::AddTo(Settings& settings) {
  settings.Add("model", &model, "Model: a folder, a .gguf file or a name; empty: the built-in one");
  settings.Add("threads", &threads, "Threads of the kernels; 0: one a core", 0, kMostThreads);
  settings.Add("context", &context, "Tokens of one conversation; 0: as the model and memory allow",
               0, kMostContext);
  settings.AddBytes("kv-cache", &kv_cache, "Memory of the KV cache");
  settings.Add("kv-dtype", &kv_dtype, "Type of the KV cache: F16 or F32");
  settings.Add("isa", &isa, "Instruction set: portable, avx2 or avx512-vnni; empty: the best");
}

Result<EngineOptions> EngineSettings::Apply() const {
  EngineOptions options;
  options.threads = static_cast<size_t>(threads);
  options.context = context;
  options.kv_bytes = kv_cache;
  const auto dtype = ParseDType(kv_dtype);
  if (!dtype || (*dtype != DType::kF16 && *dtype != DType::kF32)) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("`{}` is neither F16 nor F32 (setting `kv-dtype`)", kv_dtype));
  }
  options.kv_dtype = *dtype;
  if (!isa.empty()) {
    JIKJI_ASSIGN(const kernels::Isa wanted, kernels::ParseIsa(isa));
    JIKJI_RETURN_IF_ERROR(kernels::SetIsa(wanted));
  }
  return options;
}

Result<LoadedEngine> StartEngine(const std::string& wanted, EngineOptions options) {
  JIKJI_ASSIGN(const std::filesystem::path path, FindModel(wanted));
  const auto start = std::chrono::steady_clock::now();
  Progress progress(
      fmt::format(fmt::runtime(Say("loading {}", "{} 불러오는 중")), path.filename().string()));
  JIKJI_ASSIGN(Model model, LoadModel(path, [&](double share) { progress.Show(share); }));
  LoadedEngine loaded;
  JIKJI_ASSIGN(loaded.engine, Engine::Start(std::move(model), options));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  loaded.load_seconds = took.count();
  return loaded;
}

}  // namespace jikji
