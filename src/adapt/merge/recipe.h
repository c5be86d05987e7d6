// What is to be merged, and how: mergekit's YAML (`models`, `slices`, `merge_method`, `base_model`,
// `parameters`, `dtype`).
//
// Contract: a key that is not known is an error with its line, for what is ignored would merge
// another model than the one meant. Non-goals: tokenizers put together of several, `modules`.
#ifndef JIKJI_ADAPT_MERGE_RECIPE_H_
#define JIKJI_ADAPT_MERGE_RECIPE_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tensor/dtype.h"

namespace jikji {

// A number, which may depend on the tensor: several values along the layers, or one for the names
// that hold a text.
class MergeParameter {
 public:
  struct Choice {
    std::string filter;            // part of the tensor's name; empty: any
    std::vector<double> gradient;  // one value, or some to be interpolated over the layers
  };
  explicit MergeParameter(std::vector<Choice> choices) : choices_(std::move(choices)) {}

  // `depth`: 0 in the first layer and before it, 1 in the last and behind it. nullopt where no
  // filter fits.
  std::optional<double> At(std::string_view tensor, double depth) const;

  // Whether every value is over `least` and at most `most`.
  bool IsWithin(double least, double most) const;

 private:
  std::vector<Choice> choices_;
};
using MergeParameters = std::map<std::string, MergeParameter, std::less<>>;

struct MergeSource {
  std::string model;
  std::optional<std::pair<int64_t, int64_t>> layers;  // [first, end); nullopt: all
  MergeParameters parameters;
};

struct MergeSlice {
  std::vector<MergeSource> sources;
  MergeParameters parameters;
};

struct MergeRecipe {
  std::string method;
  std::string base_model;  // empty where none is named
  std::vector<MergeSlice> slices;
  MergeParameters parameters;
  std::optional<DType> dtype;
};

// `name` stands for the file in errors.
Result<MergeRecipe> ParseMergeRecipe(const std::string& yaml, const std::string& name);

}  // namespace jikji

#endif  // JIKJI_ADAPT_MERGE_RECIPE_H_
