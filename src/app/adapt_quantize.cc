// `jikji adapt quantize`: a model in fewer bits.
#include <fmt/format.h>

#include "adapt/quantise/quantise.h"
#include "app/adapt_commands.h"
#include "app/command.h"
#include "app/console.h"
#include "app/model_path.h"
#include "base/thread_pool.h"

namespace jikji {
namespace {

struct Options {
  std::string in, out;
  std::string type = "Q4_K";
  bool pure = false;
  bool requantize = false;
  int64_t threads = 0;

  void AddTo(Settings& settings) {
    settings.AddPositional("IN", &in,
                           {"The model: a .gguf file or a Hugging Face folder",
                            "원본 모델: .gguf 파일 또는 Hugging Face 폴더"});
    settings.AddPositional("OUT", &out, {"The new .gguf file", "새 .gguf 파일"});
    settings.AddChoice("type", &type, {"What matrices become", "행렬의 새 자료형"},
                       {"Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K", "F16", "BF16"});
    settings.Add("pure", &pure,
                 {"The head in the same type, too, where it would get Q6_K",
                  "출력 행렬도 Q6_K 대신 같은 자료형으로"});
    settings.Add("requantize", &requantize,
                 {"Take a model that is quantised already: one error is added to the other",
                  "이미 양자화된 모델도 받음. 오차가 더해집니다"});
    settings.Add("threads", &threads, {"Threads; 0: one for each core", "스레드 수. 0: 코어마다"},
                 0, 1024);
  }
};

double Megabytes(uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

Result<> Quantize(Options& options) {
  if (options.in.empty() || options.out.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("usage: jikji adapt quantize IN OUT --type TYPE",
                                "사용법: jikji adapt quantize 원본 새파일 --type 자료형")));
  }
  JIKJI_ASSIGN(const auto in, FindModel(options.in));
  ThreadPool pool(options.threads == 0 ? UsableCores() : static_cast<size_t>(options.threads));
  Progress progress(std::string(Say("quantising", "양자화")));
  JIKJI_ASSIGN(const QuantiseReport report,
               Quantise(in, options.out,
                        {.type = *ParseDType(options.type),
                         .pure = options.pure,
                         .requantise = options.requantize},
                        pool, [&](double share) { progress.Show(share); }));
  fmt::print("{}: {:.1f} MB -> {:.1f} MB\n", options.out, Megabytes(report.bytes_in),
             Megabytes(report.bytes_out));
  for (const auto& [type, use] : report.types) {
    fmt::print("  {:<5} {:4} {} {:9.1f} MB\n", DTypeName(type), use.tensors, Say("tensors", "텐서"),
               Megabytes(use.bytes));
  }
  return {};
}

}  // namespace

void AddAdaptQuantizeCommand(CommandGroup& adapt) {
  adapt.Add("quantize", Say("Write a model in fewer bits, as GGUF", "모델을 더 적은 비트의 GGUF로"),
            &Quantize);
}

}  // namespace jikji
