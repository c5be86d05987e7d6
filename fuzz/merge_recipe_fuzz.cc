// Any bytes as a merge recipe: an error that says where, or a recipe with something to merge whose
// parameters have a value everywhere.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "adapt/merge/recipe.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string yaml(reinterpret_cast<const char*>(data), size);
  const auto recipe = jikji::ParseMergeRecipe(yaml, "fuzz");
  if (!recipe) {
    if (recipe.error().message.empty() || recipe.error().where.empty()) std::abort();
    return 0;
  }
  if (recipe->slices.empty()) std::abort();
  for (const jikji::MergeSlice& slice : recipe->slices) {
    if (slice.sources.empty()) std::abort();
  }
  for (const auto& [name, parameter] : recipe->parameters) {
    for (const double depth : {0.0, 0.3, 1.0}) {
      const auto value = parameter.At("model.layers.1.mlp.up_proj.weight", depth);
      if (value && !std::isfinite(*value)) std::abort();
    }
  }
  return 0;
}
