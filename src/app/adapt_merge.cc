// `jikji adapt merge`: one model of several, or of a base and its adapter.
#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "adapt/merge/merge.h"
#include "adapt/merge/merge_adapter.h"
#include "app/adapt_commands.h"
#include "app/command.h"
#include "app/console.h"
#include "app/model_path.h"
#include "base/file.h"
#include "base/thread_pool.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string from, to, out;
  std::string dtype = "as it is";
  int64_t seed = 0;
  int64_t threads = 0;

  void AddTo(Settings& settings) {
    settings.AddPositional(
        "RECIPE|ADAPTER", &from,
        {"mergekit's YAML, or an adapter's folder", "mergekit 형식의 YAML, 또는 어댑터 폴더"});
    settings.AddPositional("OUT|BASE", &to,
                           {"With a recipe the new folder, with an adapter the model that it is of",
                            "레시피면 새 폴더, 어댑터면 그 바탕 모델"});
    settings.AddPositional("NEW", &out, {"With an adapter, the new folder", "어댑터면 새 폴더"});
    settings.AddChoice("dtype", &dtype,
                       {"With an adapter: what the matrices become; a recipe says it itself",
                        "어댑터면 새 행렬의 자료형. 레시피는 스스로 정함"},
                       {"as it is", "F32", "F16", "BF16"});
    settings.Add("seed", &seed, {"Of the values that DARE keeps", "DARE가 남길 값을 고르는 시드"},
                 0, INT64_MAX);
    settings.Add("threads", &threads, {"Threads; 0: one for each core", "스레드 수. 0: 코어마다"},
                 0, 1024);
  }
};

Result<> MergeByRecipe(const Options& options, ThreadPool& pool) {
  JIKJI_ASSIGN(const std::string yaml, ReadFile(options.from));
  JIKJI_ASSIGN(const MergeRecipe recipe, ParseMergeRecipe(yaml, options.from));
  Progress progress(std::string(Say("merging", "병합")));
  JIKJI_ASSIGN(const MergeReport report,
               MergeModels(recipe, fs::path(options.from).parent_path(), options.to,
                           static_cast<uint64_t>(options.seed), pool,
                           [&](double share) { progress.Show(share); }));
  fmt::print(fmt::runtime(Say("{}: {} layers, {} tensors, by {}\n",
                              "{}: 레이어 {}개, 텐서 {}개, 방법 {}\n")),
             options.to, report.layers, report.tensors, recipe.method);
  return {};
}

Result<> MergeAdapterInto(const Options& options, ThreadPool& pool) {
  JIKJI_ASSIGN(const fs::path base, FindModel(options.to));
  std::optional<DType> dtype;
  if (options.dtype != "as it is") dtype = ParseDType(options.dtype);
  Progress progress(std::string(Say("merging", "병합")));
  JIKJI_ASSIGN(const int64_t matrices, MergeAdapter(options.from, base, options.out, dtype, pool,
                                                    [&](double share) { progress.Show(share); }));
  fmt::print(fmt::runtime(Say("{}: {} matrices adapted\n", "{}: 행렬 {}개에 어댑터를 합침\n")),
             options.out, matrices);
  return {};
}

Result<> Merge(Options& options) {
  if (options.from.empty() || options.to.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("usage: jikji adapt merge RECIPE OUT, or ADAPTER BASE OUT",
                                "사용법: jikji adapt merge 레시피 새폴더, 또는 어댑터 바탕모델 "
                                "새폴더")));
  }
  ThreadPool pool(options.threads == 0 ? UsableCores() : static_cast<size_t>(options.threads));
  return options.out.empty() ? MergeByRecipe(options, pool) : MergeAdapterInto(options, pool);
}

}  // namespace

void AddAdaptMergeCommand(CommandGroup& adapt) {
  adapt.Add("merge",
            Say("Make one model of several, or of a base and its adapter",
                "여러 모델, 또는 바탕 모델과 어댑터를 하나로 합칩니다"),
            &Merge);
}

}  // namespace jikji
