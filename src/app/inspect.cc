// `jikji inspect`: what a model is and what it needs, before anything is loaded; and what this
// processor offers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>
#include <map>

#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/engine_settings.h"
#include "app/gpu_report.h"
#include "app/model_path.h"
#include "app/text_table.h"
#include "base/thread_pool.h"
#include "engine/cache_plan.h"
#include "kernels/isa.h"
#include "model/memory_plan.h"
#include "model/model.h"

namespace jikji {
namespace {

struct Options {
  std::string model;
  EngineSettings engine;
  bool cpu = false;
  bool gpu = false;
  bool tensors = false;
  bool show_template = false;
  bool json = false;

  void AddTo(Settings& settings) {
    settings.AddPositional("MODEL", &model,
                           {"A folder, a .gguf file or a name; nothing: the "
                            "built-in one",
                            "폴더, .gguf 파일 또는 이름. 없으면 내장 모델"});
    engine.AddTo(settings);
    settings.Add(
        "cpu", &cpu,
        {"Tell the instruction set in use instead", "모델 대신 쓰고 있는 명령어 집합을 보여 줌"});
    settings.Add("gpu", &gpu,
                 {"Tell this machine's NVIDIA GPUs and their driver instead",
                  "모델 대신 이 장비의 NVIDIA GPU와 드라이버를 보여 줌"});
    settings.Add("tensors", &tensors, {"List every tensor", "모든 텐서를 나열"});
    settings.Add("template", &show_template, {"Print the chat template", "채팅 템플릿만 출력"});
    settings.Add("json", &json, {"Print JSON", "JSON으로 출력"});
  }
};

struct TypeUse {
  int64_t tensors = 0;
  int64_t values = 0;
  uint64_t bytes = 0;
};

std::map<std::string, TypeUse> UseByType(const Checkpoint& checkpoint) {
  std::map<std::string, TypeUse> types;
  for (const TensorView& tensor : checkpoint.tensors()) {
    TypeUse& use = types[std::string(DTypeName(tensor.dtype))];
    ++use.tensors;
    use.values += tensor.values();
    use.bytes += tensor.data.size();
  }
  return types;
}

const char* ScalingName(RopeSpec::Scaling scaling) {
  switch (scaling) {
    case RopeSpec::Scaling::kNone:
      return "none";
    case RopeSpec::Scaling::kLinear:
      return "linear";
    case RopeSpec::Scaling::kLlama3:
      return "llama3";
    case RopeSpec::Scaling::kYarn:
      return "yarn";
  }
  return "none";
}

std::string DescribeAttention(const DecoderSpec& spec) {
  int64_t windowed = 0;
  int64_t without_rope = 0;
  int32_t window = 0;
  for (const LayerSpec& layer : spec.layers) {
    if (layer.window > 0) {
      ++windowed;
      window = layer.window;
    }
    if (!layer.rope) ++without_rope;
  }
  if (windowed == 0 && without_rope == 0) return "global in every layer";
  return fmt::format("{} of {} layers over a window of {}, {} without positions (NoPE)", windowed,
                     spec.layers.size(), window, without_rope);
}

// What a server with these options will hold.
MemoryPlan Memory(const ModelDescription& model, const CachePlan& plan,
                  const EngineOptions& engine) {
  return PlanMemory(*model.checkpoint, model.spec,
                    {.kv_dtype = engine.kv_dtype,
                     .kv_tokens = int64_t{plan.pages} * engine.page_tokens,
                     .step_tokens = engine.step_tokens,
                     .max_sequences = engine.max_running});
}

boost::json::object Report(const ModelDescription& model, const CachePlan& plan,
                           const EngineOptions& engine) {
  const DecoderSpec& spec = model.spec;
  const MemoryPlan memory = Memory(model, plan, engine);
  boost::json::object types;
  for (const auto& [name, use] : UseByType(*model.checkpoint)) {
    types[name] = {{"tensors", use.tensors}, {"values", use.values}, {"bytes", use.bytes}};
  }
  boost::json::array stops;
  for (const TokenId id : model.stop_ids) stops.push_back(id);
  return {
      {"name", model.name},
      {"path", model.path.string()},
      {"format", model.checkpoint->format() == CheckpointFormat::kGguf ? "GGUF" : "safetensors"},
      {"family", spec.family},
      {"parameters", memory.parameters},
      {"types", std::move(types)},
      {"layers", spec.layers.size()},
      {"hidden", spec.hidden},
      {"intermediate", spec.intermediate},
      {"heads", spec.heads},
      {"kv_heads", spec.kv_heads},
      {"head_dim", spec.head_dim},
      {"vocab", spec.vocab},
      {"max_position", spec.max_position},
      {"tied_head", spec.tied_head},
      {"attention", DescribeAttention(spec)},
      {"rope", {{"theta", spec.rope.theta}, {"scaling", ScalingName(spec.rope.scaling)}}},
      {"tokenizer", model.tokenizer->Description()},
      {"chat_template", model.template_source.empty() ? "none" : "yes"},
      {"stop_ids", std::move(stops)},
      {"memory",
       {{"weight_bytes", memory.weight_bytes},
        {"kv_bytes_per_token", memory.kv_bytes_per_token},
        {"kv_dtype", std::string(DTypeName(engine.kv_dtype))},
        {"kv_bytes", memory.kv_bytes},
        {"activation_bytes", memory.activation_bytes},
        {"logit_bytes", memory.logit_bytes},
        {"context", plan.context},
        {"total_bytes", memory.total()}}},
  };
}

std::string Megabytes(uint64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

void Row(std::string_view label, std::string_view value) {
  fmt::print("{}", LabelledLine(label, value));
}

void PrintModel(const ModelDescription& model, const CachePlan& plan, const EngineOptions& engine) {
  const DecoderSpec& spec = model.spec;
  const MemoryPlan memory = Memory(model, plan, engine);
  Row(Say("model", "모델"), model.name);
  Row(Say("path", "경로"), model.path.string());
  Row(Say("family", "계열"), spec.family);
  Row(Say("parameters", "매개변수"),
      fmt::format("{:.2f} M", static_cast<double>(memory.parameters) / 1e6));
  for (const auto& [name, use] : UseByType(*model.checkpoint)) {
    Row(fmt::format("  {}", name), fmt::format(fmt::runtime(Say("{} tensors, {}", "텐서 {}개, {}")),
                                               use.tensors, Megabytes(use.bytes)));
  }
  Row(Say("shape", "구조"),
      fmt::format("{} layers, width {}, {} heads and {} KV heads of {}, feed-forward {}, "
                  "vocabulary {}{}",
                  spec.layers.size(), spec.hidden, spec.heads, spec.kv_heads, spec.head_dim,
                  spec.intermediate, spec.vocab, spec.tied_head ? ", tied head" : ""));
  Row(Say("attention", "어텐션"), DescribeAttention(spec));
  Row(Say("positions", "위치"),
      fmt::format("{} tokens, RoPE theta {}, scaling {}", spec.max_position, spec.rope.theta,
                  ScalingName(spec.rope.scaling)));
  Row(Say("tokenizer", "토크나이저"), model.tokenizer->Description());
  Row(Say("chat template", "채팅 템플릿"),
      model.template_source.empty()
          ? std::string(Say("none: /v1/completions only", "없음: /v1/completions만 됩니다"))
          : fmt::format("{} {}", model.template_source.size(), Say("bytes", "바이트")));
  Row(Say("stop tokens", "종료 토큰"), fmt::format("{}", fmt::join(model.stop_ids, ", ")));
  Row(Say("memory", "메모리"), Megabytes(memory.total()));
  Row(Say("  weights", "  가중치"),
      fmt::format("{}, {}", Megabytes(memory.weight_bytes),
                  Say("mapped from the file", "파일을 메모리에 매핑")));
  Row(Say("  KV cache", "  KV 캐시"),
      fmt::format(fmt::runtime(Say("{}, {} tokens, at most {} of them for one conversation",
                                   "{}, {}토큰, 대화 하나에 최대 {}토큰")),
                  Megabytes(memory.kv_bytes), int64_t{plan.pages} * engine.page_tokens,
                  plan.context));
  Row(Say("  one step", "  한 스텝"), Megabytes(memory.activation_bytes + memory.logit_bytes));
}

boost::json::array TensorList(const Checkpoint& checkpoint) {
  boost::json::array list;
  for (const TensorView& tensor : checkpoint.tensors()) {
    list.push_back({{"name", tensor.name},
                    {"dtype", std::string(DTypeName(tensor.dtype))},
                    {"shape", boost::json::array(tensor.shape.begin(), tensor.shape.end())}});
  }
  return list;
}

void PrintTensors(const Checkpoint& checkpoint) {
  for (const TensorView& tensor : checkpoint.tensors()) {
    fmt::print("{:<56} {:<5} [{}]\n", tensor.name, DTypeName(tensor.dtype),
               fmt::join(tensor.shape, ", "));
  }
}

void PrintCpu(bool json) {
  const std::string active(kernels::IsaName(kernels::ActiveIsa()));
  std::vector<std::string> available;
  for (const kernels::Isa isa : kernels::AvailableIsas()) {
    available.emplace_back(kernels::IsaName(isa));
  }
  if (json) {
    boost::json::array names(available.begin(), available.end());
    fmt::print("{}\n",
               boost::json::serialize(boost::json::object{
                   {"isa", active}, {"available", std::move(names)}, {"cores", UsableCores()}}));
    return;
  }
  Row(Say("kernels", "커널"), active);
  Row(Say("available", "가능"), fmt::format("{}", fmt::join(available, ", ")));
  Row(Say("cores", "코어"), fmt::format("{}", UsableCores()));
}

Result<> Inspect(Options& options) {
  if (!options.model.empty()) options.engine.model = options.model;
  JIKJI_ASSIGN(const EngineOptions engine, options.engine.Apply());
  if (options.cpu) {
    PrintCpu(options.json);
    return {};
  }
  if (options.gpu) return PrintGpus(options.json);
  JIKJI_ASSIGN(const auto path, FindModel(options.engine.model));
  JIKJI_ASSIGN(const ModelDescription model, DescribeModel(path));
  JIKJI_ASSIGN(const CachePlan plan, PlanCache(model.spec, engine));
  if (options.json) {
    boost::json::object report = Report(model, plan, engine);
    if (options.show_template) report["chat_template_source"] = model.template_source;
    if (options.tensors) report["tensors"] = TensorList(*model.checkpoint);
    fmt::print("{}\n", boost::json::serialize(report));
    return {};
  }
  if (options.show_template) {
    fmt::print("{}\n", model.template_source);
    return {};
  }
  PrintModel(model, plan, engine);
  if (options.tensors) {
    fmt::print("\n");
    PrintTensors(*model.checkpoint);
  }
  return {};
}

}  // namespace

void AddInspectCommand(Program& program) {
  program.Add("inspect",
              Say("Tell what a model is and what it needs, before it is loaded",
                  "불러오기 전에 모델이 무엇이고 무엇이 필요한지 보여 줍니다"),
              &Inspect);
}

}  // namespace jikji
