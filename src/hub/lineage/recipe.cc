#include "hub/lineage/recipe.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "base/json.h"
#include "hub/names.h"

namespace jikji::hub {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 9> kKeys = {"how",  "from",       "recipe", "seed",  "type",
                                                   "pure", "requantize", "input",  "output"};

std::unexpected<Error> Wrong(std::string message, std::string where) {
  return Fail(ErrorCode::kMalformed, std::move(message), std::string(kRecipeFile) + ":" + where);
}

Result<std::string> PathOf(const json::object& object, std::string_view key) {
  JIKJI_ASSIGN(const auto path, OptionalString(object, key, kRecipeFile));
  if (!path || path->empty()) return std::string();
  JIKJI_RETURN_IF_ERROR(CheckFilePath(*path));
  return *path;
}

}  // namespace

Result<LineageRecipe> ParseLineageRecipe(std::string_view text) {
  JIKJI_ASSIGN(const json::value value, ParseJson(text, kRecipeFile, {8, 1u << 20}));
  if (!value.is_object()) return Wrong("must be an object", "");
  const json::object& object = value.get_object();
  for (const auto& item : object) {
    if (std::ranges::find(kKeys, std::string_view(item.key())) == kKeys.end()) {
      return Wrong("no such key is known", item.key());
    }
  }
  LineageRecipe out;
  JIKJI_ASSIGN(const auto how, OptionalString(object, "how", kRecipeFile));
  if (how == "merge") {
    out.how = LineageRecipe::How::kMerge;
  } else if (how == "quantize") {
    out.how = LineageRecipe::How::kQuantize;
  } else if (how == "convert") {
    out.how = LineageRecipe::How::kConvert;
  } else {
    return Wrong("must be merge, quantize or convert", "how");
  }
  JIKJI_ASSIGN(const json::object* from, OptionalObject(object, "from", kRecipeFile));
  if (from == nullptr || from->empty()) return Wrong("names no source", "from");
  for (const auto& item : *from) {
    JIKJI_RETURN_IF_ERROR(CheckRepositoryName(item.key()));
    if (!item.value().is_string()) return Wrong("must be a revision", "from");
    out.from.emplace(item.key(), std::string(item.value().get_string()));
  }
  if (out.how != LineageRecipe::How::kMerge && out.from.size() != 1) {
    return Wrong("must be one source", "from");
  }
  JIKJI_ASSIGN(out.recipe, PathOf(object, "recipe"));
  if (out.how == LineageRecipe::How::kMerge && out.recipe.empty()) {
    return Wrong("a merge needs the path of its YAML", "recipe");
  }
  JIKJI_ASSIGN(const auto seed, OptionalInt(object, "seed", kRecipeFile));
  if (seed.value_or(0) < 0) return Wrong("must not be negative", "seed");
  out.seed = static_cast<uint64_t>(seed.value_or(0));
  JIKJI_ASSIGN(const auto type, OptionalString(object, "type", kRecipeFile));
  if (type && *type != "keep") {
    out.type = ParseDType(*type);
    if (!out.type || !IsOfWeights(*out.type)) return Wrong("is no type of weights", "type");
  }
  if (out.how == LineageRecipe::How::kQuantize && !out.type) return Wrong("is missing", "type");
  JIKJI_ASSIGN(const auto pure, OptionalBool(object, "pure", kRecipeFile));
  JIKJI_ASSIGN(const auto again, OptionalBool(object, "requantize", kRecipeFile));
  out.pure = pure.value_or(false);
  out.requantize = again.value_or(false);
  JIKJI_ASSIGN(out.input, PathOf(object, "input"));
  JIKJI_ASSIGN(out.output, PathOf(object, "output"));
  if (out.how == LineageRecipe::How::kQuantize && !out.output.ends_with(".gguf")) {
    return Wrong("must be the .gguf file that was made", "output");
  }
  return out;
}

}  // namespace jikji::hub
