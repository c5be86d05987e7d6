// Which parts of a weight file are, or are near, parts of files that stay plain.
//
// Contract: pure; reads no bytes. A tensor that looks like one of a known file is taken from there
// whatever it is called; else the tensor of its name, type and row length in a base, of which the
// first may have more or fewer rows; else it stands by itself. Whether that is right is not this
// one's to know: a wrong source costs room and nothing else.
#ifndef JIKJI_HUB_COMPACT_PLANNER_H_
#define JIKJI_HUB_COMPACT_PLANNER_H_

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "hub/compact/inventory.h"
#include "hub/compact/tensor_places.h"
#include "store/compact/recipe.h"

namespace jikji::hub {

class Planner {
 public:
  // A file that stays plain, from which others may be made.
  void AddPlain(const WeightFile& file, const std::vector<TensorPlace>& tensors);
  // A file that is made from plain ones; whoever is made from it is made from those.
  void AddCompact(const WeightFile& file, const std::vector<Digest>& sources);

  // The ways to make a file, at most three: from the models its card names, from what its
  // repository held before, from a file of the same layout. Empty where nothing of it is known.
  std::vector<CompactRecipe> Recipes(const WeightFile& file,
                                     const std::vector<TensorPlace>& tensors) const;
  // The file with no source.
  static CompactRecipe Alone(const WeightFile& file, const std::vector<TensorPlace>& tensors);

 private:
  struct Plain {
    Digest digest{};
    std::unordered_map<uint64_t, TensorPlace> by_kind;
  };
  struct Found {
    size_t file = 0;
    uint64_t offset = 0;
  };
  using Files = std::vector<size_t>;  // of plain_

  CompactRecipe RecipeFrom(const WeightFile& file, const std::vector<TensorPlace>& tensors,
                           const Files& bases) const;

  std::vector<Plain> plain_;
  std::map<Digest, size_t> by_digest_;
  std::map<int64_t, Files> by_repository_;
  std::unordered_map<uint64_t, Files> by_layout_;
  std::unordered_map<uint64_t, Found> by_looks_;
};

}  // namespace jikji::hub

#endif  // JIKJI_HUB_COMPACT_PLANNER_H_
