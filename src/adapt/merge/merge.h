// Merges models by a recipe (recipe.h) into a new Hugging Face folder.
//
// Contract: one tensor at a time, each of the sources' as f32: memory is some copies of the largest
// tensor. Sources are of one shape, or slices of layers that fit. What is no weight (tokenizer,
// template, generation settings) comes from the base, or from the first source where there is none.
#ifndef JIKJI_ADAPT_MERGE_MERGE_H_
#define JIKJI_ADAPT_MERGE_MERGE_H_

#include <cstdint>
#include <filesystem>
#include <functional>

#include "adapt/merge/recipe.h"
#include "base/error.h"
#include "base/thread_pool.h"

namespace jikji {

struct MergeReport {
  int64_t tensors = 0;
  int64_t layers = 0;
};

// Models that the recipe names by relative paths are looked for from `models`. `seed` is DARE's.
Result<MergeReport> MergeModels(const MergeRecipe& recipe, const std::filesystem::path& models,
                                const std::filesystem::path& out, uint64_t seed, ThreadPool& pool,
                                const std::function<void(double)>& progress = {});

}  // namespace jikji

#endif  // JIKJI_ADAPT_MERGE_MERGE_H_
