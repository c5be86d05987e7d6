// Makes a model again by the recipe that its repository records, and holds the two together.
#ifndef JIKJI_HUB_LINEAGE_RERUN_H_
#define JIKJI_HUB_LINEAGE_RERUN_H_

#include <filesystem>
#include <map>
#include <string>

#include "base/error.h"
#include "base/thread_pool.h"
#include "hub/lineage/recipe.h"

namespace jikji::hub {

// True where what the recipe makes has the model's weights, bit for bit. `model` is the model's
// folder, `sources` lie at `sources`/OWNER/NAME, `out` is a path that is free to use. An error: the
// recipe cannot be followed.
Result<bool> MakesTheSame(const LineageRecipe& recipe, const std::filesystem::path& model,
                          const std::filesystem::path& sources, const std::filesystem::path& out,
                          ThreadPool& pool);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_LINEAGE_RERUN_H_
