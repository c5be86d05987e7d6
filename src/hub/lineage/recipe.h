// How a model was made, as its repository records it in `jikji-lineage.json`, so that the hub can
// make it again.
//
//   {"how": "merge", "from": {"team/a": "COMMIT", "team/b": "main"}, "recipe": "merge.yaml",
//    "seed": 1}
//   {"how": "quantize", "from": {"team/a": "main"}, "type": "Q4_K", "output": "a-q4.gguf"}
//   {"how": "convert", "from": {"team/a": "main"}, "input": "", "output": "a.gguf"}
//
// `input` is the file of the source that was read, `output` the file that was made; without one it
// is the whole folder. Contract: every path is one that a repository may hold; a key that is not
// known is an error, for what is ignored would make another model.
#ifndef JIKJI_HUB_LINEAGE_RECIPE_H_
#define JIKJI_HUB_LINEAGE_RECIPE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "tensor/dtype.h"

namespace jikji::hub {

inline constexpr const char* kRecipeFile = "jikji-lineage.json";

struct LineageRecipe {
  enum class How { kMerge, kQuantize, kConvert };
  How how = How::kMerge;
  std::map<std::string, std::string> from;  // repositories to their revisions
  std::string recipe;                       // of a merge: mergekit's YAML in this repository
  uint64_t seed = 0;
  std::optional<DType> type;  // what matrices become; nullopt: as they are
  bool pure = false;
  bool requantize = false;
  std::string input, output;
};

Result<LineageRecipe> ParseLineageRecipe(std::string_view json);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_LINEAGE_RECIPE_H_
