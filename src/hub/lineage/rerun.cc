#include "hub/lineage/rerun.h"

#include "adapt/convert/convert.h"
#include "adapt/merge/merge.h"
#include "adapt/quantise/quantise.h"
#include "base/file.h"
#include "hub/lineage/compare.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;

// A recipe of strangers reads what it names as its sources, and no other file of this machine.
Result<> CheckSources(const MergeRecipe& merge, const LineageRecipe& recipe) {
  const auto check = [&](const std::string& model) -> Result<> {
    if (recipe.from.contains(model)) return {};
    return Fail(ErrorCode::kMalformed, "is merged and not among the sources in `from`", model);
  };
  if (!merge.base_model.empty()) JIKJI_RETURN_IF_ERROR(check(merge.base_model));
  for (const MergeSlice& slice : merge.slices) {
    for (const MergeSource& source : slice.sources) JIKJI_RETURN_IF_ERROR(check(source.model));
  }
  return {};
}

}  // namespace

Result<bool> MakesTheSame(const LineageRecipe& recipe, const fs::path& model,
                          const fs::path& sources, const fs::path& out, ThreadPool& pool) {
  const fs::path source = sources / recipe.from.begin()->first / recipe.input;
  const fs::path made = recipe.output.ends_with(".gguf") ? fs::path(out.string() + ".gguf") : out;
  switch (recipe.how) {
    case LineageRecipe::How::kMerge: {
      JIKJI_ASSIGN(const std::string yaml, ReadFile(model / recipe.recipe, 1u << 20));
      JIKJI_ASSIGN(const MergeRecipe merge, ParseMergeRecipe(yaml, recipe.recipe));
      JIKJI_RETURN_IF_ERROR(CheckSources(merge, recipe));
      JIKJI_RETURN_IF_ERROR(MergeModels(merge, sources, made, recipe.seed, pool));
      break;
    }
    case LineageRecipe::How::kQuantize:
      JIKJI_RETURN_IF_ERROR(Quantise(
          source, made,
          {.type = *recipe.type, .pure = recipe.pure, .requantise = recipe.requantize}, pool));
      break;
    case LineageRecipe::How::kConvert:
      JIKJI_RETURN_IF_ERROR(Convert(source, made, {.type = recipe.type}, pool));
      break;
  }
  JIKJI_ASSIGN(const auto published, Checkpoint::Open(model / recipe.output));
  JIKJI_ASSIGN(const auto again, Checkpoint::Open(made));
  return SameWeights(*published, *again);
}

}  // namespace jikji::hub
