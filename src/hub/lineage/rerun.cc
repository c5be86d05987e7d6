#include "hub/lineage/rerun.h"

#include <system_error>
#include <vector>

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

// The model of a source: what the recipe names in it, else its folder, or its only GGUF file where
// it is no folder of Hugging Face's.
Result<fs::path> SourceOf(const LineageRecipe& recipe, const fs::path& sources) {
  const std::string& name = recipe.from.begin()->first;
  if (!recipe.input.empty()) return sources / name / recipe.input;
  std::vector<fs::path> files;
  std::error_code error;
  if (fs::exists(sources / name / "config.json", error)) return sources / name;
  for (const auto& entry : fs::recursive_directory_iterator(sources / name, error)) {
    if (entry.path().extension() == ".gguf") files.push_back(entry.path());
  }
  if (files.size() == 1) return files.front();
  return Fail(ErrorCode::kNotFound,
              files.empty() ? "holds neither config.json nor a GGUF file"
                            : "holds several GGUF files: say which as `input`",
              name);
}

}  // namespace

Result<bool> MakesTheSame(const LineageRecipe& recipe, const fs::path& model,
                          const fs::path& sources, const fs::path& out, ThreadPool& pool) {
  const fs::path made = recipe.output.ends_with(".gguf") ? fs::path(out.string() + ".gguf") : out;
  switch (recipe.how) {
    case LineageRecipe::How::kMerge: {
      JIKJI_ASSIGN(const std::string yaml, ReadFile(model / recipe.recipe, 1u << 20));
      JIKJI_ASSIGN(const MergeRecipe merge, ParseMergeRecipe(yaml, recipe.recipe));
      JIKJI_RETURN_IF_ERROR(CheckSources(merge, recipe));
      JIKJI_RETURN_IF_ERROR(MergeModels(merge, sources, made, recipe.seed, pool));
      break;
    }
    case LineageRecipe::How::kQuantize: {
      JIKJI_ASSIGN(const fs::path source, SourceOf(recipe, sources));
      JIKJI_RETURN_IF_ERROR(Quantise(
          source, made,
          {.type = *recipe.type, .pure = recipe.pure, .requantise = recipe.requantize}, pool));
      break;
    }
    case LineageRecipe::How::kConvert: {
      JIKJI_ASSIGN(const fs::path source, SourceOf(recipe, sources));
      JIKJI_RETURN_IF_ERROR(Convert(source, made, {.type = recipe.type}, pool));
      break;
    }
  }
  JIKJI_ASSIGN(const auto published, Checkpoint::Open(model / recipe.output));
  JIKJI_ASSIGN(const auto again, Checkpoint::Open(made));
  return SameWeights(*published, *again);
}

}  // namespace jikji::hub
