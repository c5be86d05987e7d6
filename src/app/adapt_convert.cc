// `jikji adapt convert`: a model in the other format.
#include <fmt/format.h>

#include "adapt/convert/convert.h"
#include "app/adapt_commands.h"
#include "app/command.h"
#include "app/console.h"
#include "app/model_path.h"
#include "base/thread_pool.h"

namespace jikji {
namespace {

struct Options {
  std::string in, out;
  std::string type = "keep";
  int64_t threads = 0;

  void AddTo(Settings& settings) {
    settings.AddPositional(
        "IN", &in, {"A Hugging Face folder or a .gguf file", "Hugging Face 폴더 또는 .gguf 파일"});
    settings.AddPositional(
        "OUT", &out,
        {"The other: a .gguf file or a new folder", "반대 형식: .gguf 파일 또는 새 폴더"});
    settings.AddChoice("type", &type, {"What matrices become", "행렬의 새 자료형"},
                       {"keep", "F32", "F16", "BF16"});
    settings.Add("threads", &threads, {"Threads; 0: one for each core", "스레드 수. 0: 코어마다"},
                 0, 1024);
  }
};

Result<> RunConvert(Options& options) {
  if (options.in.empty() || options.out.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("usage: jikji adapt convert IN OUT",
                                "사용법: jikji adapt convert 원본 새이름")));
  }
  JIKJI_ASSIGN(const auto in, FindModel(options.in));
  ThreadPool pool(options.threads == 0 ? UsableCores() : static_cast<size_t>(options.threads));
  Progress progress(std::string(Say("converting", "변환")));
  JIKJI_ASSIGN(const ConvertReport report,
               Convert(in, options.out, {.type = ParseDType(options.type)}, pool,
                       [&](double share) { progress.Show(share); }));
  fmt::print(fmt::runtime(Say("{}: {} tensors, {:.1f} MB\n", "{}: 텐서 {}개, {:.1f} MB\n")),
             options.out, report.tensors, static_cast<double>(report.bytes) / 1e6);
  if (!report.has_tokenizer) {
    fmt::print("{}\n", Say("there was no tokenizer to carry over: add one before it is served",
                           "옮길 토크나이저가 없었습니다. 실행하려면 토크나이저를 넣어 주십시오"));
  }
  return {};
}

}  // namespace

void AddAdaptConvertCommand(CommandGroup& adapt) {
  adapt.Add("convert",
            Say("Turn a Hugging Face folder into a GGUF file, or back",
                "Hugging Face 폴더를 GGUF 파일로, 또는 그 반대로"),
            &RunConvert);
}

}  // namespace jikji
