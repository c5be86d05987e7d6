// `jikji adapt extract-lora`: what fine-tuning changed, as an adapter.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "adapt/merge/extract_lora.h"
#include "app/adapt_commands.h"
#include "app/command.h"
#include "app/console.h"
#include "app/model_path.h"
#include "base/thread_pool.h"

namespace jikji {
namespace {

struct Options {
  std::string tuned, base, out;
  int64_t rank = 16;
  int64_t threads = 0;

  void AddTo(Settings& settings) {
    settings.AddPositional("TUNED", &tuned, {"The fine-tuned model", "미세 조정한 모델"});
    settings.AddPositional("BASE", &base, {"The model it was before", "그 전의 모델"});
    settings.AddPositional("OUT", &out, {"The adapter's new folder", "어댑터를 쓸 새 폴더"});
    settings.Add("rank", &rank, {"Of the adapter", "어댑터의 랭크"}, 1, 4096);
    settings.Add("threads", &threads, {"Threads; 0: one for each core", "스레드 수. 0: 코어마다"},
                 0, 1024);
  }
};

Result<> Extract(Options& options) {
  if (options.tuned.empty() || options.base.empty() || options.out.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("usage: jikji adapt extract-lora TUNED BASE OUT",
                                "사용법: jikji adapt extract-lora 미세조정모델 바탕모델 새폴더")));
  }
  JIKJI_ASSIGN(const std::filesystem::path tuned, FindModel(options.tuned));
  JIKJI_ASSIGN(const std::filesystem::path base, FindModel(options.base));
  ThreadPool pool(options.threads == 0 ? UsableCores() : static_cast<size_t>(options.threads));
  Progress progress(std::string(Say("extracting", "추출")));
  JIKJI_ASSIGN(const ExtractReport report,
               ExtractLora(tuned, base, options.out, options.rank, pool,
                           [&](double share) { progress.Show(share); }));
  fmt::print(fmt::runtime(Say("{}: {} matrices, {:.2f} % of their change kept\n",
                              "{}: 행렬 {}개, 변화의 {:.2f} %를 담음\n")),
             options.out, report.matrices, 100 * report.kept);
  if (!report.left_out.empty()) {
    fmt::print(fmt::runtime(Say("changed, and not in the adapter: {}\n",
                                "바뀌었지만 어댑터에 담지 못함: {}\n")),
               fmt::join(report.left_out, ", "));
  }
  return {};
}

}  // namespace

void AddAdaptExtractLoraCommand(CommandGroup& adapt) {
  adapt.Add("extract-lora",
            Say("Make an adapter of what fine-tuning changed",
                "미세 조정으로 바뀐 것을 어댑터로 만듭니다"),
            &Extract);
}

}  // namespace jikji
