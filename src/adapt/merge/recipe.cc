#include "adapt/merge/recipe.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace jikji {
namespace {

constexpr std::array<std::string_view, 7> kMethods = {
    "linear", "slerp", "task_arithmetic", "ties", "dare_ties", "dare_linear", "passthrough"};
// Recipes are written by hand; this bounds what a file can make the parser build.
constexpr size_t kMaxBytes = 1 << 20;

// Thrown within this file only: yaml-cpp throws as well, and one handler turns both to Errors.
struct Refusal {
  std::string message;
  int line;
};

[[noreturn]] void Refuse(const YAML::Node& at, std::string message) {
  throw Refusal{std::move(message), at.Mark().line + 1};
}

void ExpectKeys(const YAML::Node& node, std::initializer_list<std::string_view> known) {
  if (!node.IsMap()) Refuse(node, "must be a mapping");
  for (const auto& entry : node) {
    const auto key = entry.first.as<std::string>();
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      Refuse(entry.first, fmt::format("`{}` is not supported here", key));
    }
  }
}

double Number(const YAML::Node& node) {
  double value = 0;
  if (node.IsScalar() && YAML::convert<double>::decode(node, value) && std::isfinite(value)) {
    return value;
  }
  bool flag = false;
  if (node.IsScalar() && YAML::convert<bool>::decode(node, flag)) return flag ? 1 : 0;
  Refuse(node, "must be a number, or true or false");
}

std::vector<double> Gradient(const YAML::Node& node) {
  std::vector<double> values;
  if (!node.IsSequence()) return {Number(node)};
  for (const auto& value : node) values.push_back(Number(value));
  if (values.empty()) Refuse(node, "an empty list of values");
  return values;
}

MergeParameter ReadParameter(const YAML::Node& node) {
  const bool filtered = node.IsSequence() && node.size() > 0 && node[0].IsMap();
  if (!filtered) return MergeParameter({{"", Gradient(node)}});
  std::vector<MergeParameter::Choice> choices;
  for (const auto& choice : node) {
    ExpectKeys(choice, {"filter", "value"});
    if (!choice["value"]) Refuse(choice, "a filter without a value");
    std::string filter = choice["filter"] ? choice["filter"].as<std::string>() : "";
    if (filter == "*") filter.clear();
    choices.push_back({std::move(filter), Gradient(choice["value"])});
  }
  return MergeParameter(std::move(choices));
}

MergeParameters ReadParameters(const YAML::Node& node) {
  MergeParameters out;
  if (!node || node.IsNull()) return out;
  ExpectKeys(node, {"weight", "density", "t", "normalize", "lambda", "scale"});
  for (const auto& entry : node) {
    auto key = entry.first.as<std::string>();
    MergeParameter parameter = ReadParameter(entry.second);
    if (key == "density" && !parameter.IsWithin(0, 1)) {
      Refuse(entry.second, "a density is a share that is kept: over 0, and 1 at most");
    }
    out.emplace(std::move(key), std::move(parameter));
  }
  return out;
}

MergeSource ReadSource(const YAML::Node& node) {
  ExpectKeys(node, {"model", "layer_range", "parameters"});
  if (!node["model"]) Refuse(node, "`model` is missing");
  MergeSource source;
  source.model = node["model"].as<std::string>();
  source.parameters = ReadParameters(node["parameters"]);
  if (const YAML::Node range = node["layer_range"]) {
    if (!range.IsSequence() || range.size() != 2) Refuse(range, "must be [first, end]");
    source.layers = std::pair(range[0].as<int64_t>(), range[1].as<int64_t>());
    if (source.layers->first < 0 || source.layers->second <= source.layers->first) {
      Refuse(range, "must be [first, end] with 0 <= first < end");
    }
  }
  return source;
}

MergeSlice ReadSources(const YAML::Node& list) {
  if (!list.IsSequence() || list.size() == 0) Refuse(list, "must be a list of models");
  MergeSlice slice;
  for (const auto& source : list) slice.sources.push_back(ReadSource(source));
  return slice;
}

MergeRecipe Read(const YAML::Node& root) {
  ExpectKeys(root, {"models", "slices", "merge_method", "base_model", "parameters", "dtype",
                    "tokenizer_source", "name"});
  MergeRecipe recipe;
  if (!root["merge_method"]) Refuse(root, "`merge_method` is missing");
  recipe.method = root["merge_method"].as<std::string>();
  if (std::ranges::find(kMethods, recipe.method) == kMethods.end()) {
    Refuse(
        root["merge_method"],
        fmt::format("`{}` is not supported; these are: {}", recipe.method,
                    "linear, slerp, task_arithmetic, ties, dare_ties, dare_linear, passthrough"));
  }
  if (root["base_model"]) recipe.base_model = root["base_model"].as<std::string>();
  recipe.parameters = ReadParameters(root["parameters"]);
  if (const YAML::Node source = root["tokenizer_source"]) {
    if (source.as<std::string>() != "base") Refuse(source, "only the base's tokenizer is taken");
  }
  if (const YAML::Node dtype = root["dtype"]) {
    const auto name = dtype.as<std::string>();
    recipe.dtype = name == "float32"    ? std::optional(DType::kF32)
                   : name == "float16"  ? std::optional(DType::kF16)
                   : name == "bfloat16" ? std::optional(DType::kBF16)
                                        : std::nullopt;
    if (!recipe.dtype) Refuse(dtype, "must be float32, float16 or bfloat16");
  }
  const YAML::Node models = root["models"], slices = root["slices"];
  if (models && slices) Refuse(slices, "`models` and `slices` exclude each other");
  if (!models && !slices) Refuse(root, "there are neither `models` nor `slices`");
  if (models) {
    recipe.slices.push_back(ReadSources(models));
    return recipe;
  }
  if (!slices.IsSequence() || slices.size() == 0) Refuse(slices, "must be a list");
  for (const auto& slice : slices) {
    ExpectKeys(slice, {"sources", "parameters"});
    if (!slice["sources"]) Refuse(slice, "`sources` is missing");
    recipe.slices.push_back(ReadSources(slice["sources"]));
    recipe.slices.back().parameters = ReadParameters(slice["parameters"]);
  }
  return recipe;
}

}  // namespace

std::optional<double> MergeParameter::At(std::string_view tensor, double depth) const {
  for (const Choice& choice : choices_) {
    if (!tensor.contains(choice.filter)) continue;
    const std::vector<double>& values = choice.gradient;
    const double at = std::clamp(depth, 0.0, 1.0) * static_cast<double>(values.size() - 1);
    const auto below = static_cast<size_t>(at);
    if (below + 1 >= values.size()) return values.back();
    const double share = at - static_cast<double>(below);
    return (1 - share) * values[below] + share * values[below + 1];
  }
  return std::nullopt;
}

bool MergeParameter::IsWithin(double least, double most) const {
  return std::ranges::all_of(choices_, [&](const Choice& choice) {
    return std::ranges::all_of(choice.gradient,
                               [&](double value) { return value > least && value <= most; });
  });
}

Result<MergeRecipe> ParseMergeRecipe(const std::string& yaml, const std::string& name) {
  if (yaml.size() > kMaxBytes) {
    return Fail(ErrorCode::kResourceExhausted, "a recipe of over 1 MiB", name);
  }
  try {
    return Read(YAML::Load(yaml));
  } catch (const Refusal& refusal) {
    return Fail(ErrorCode::kInvalidArgument, refusal.message,
                fmt::format("{}:{}", name, std::max(1, refusal.line)));
  } catch (const YAML::Exception& error) {
    return Fail(ErrorCode::kMalformed, error.msg,
                fmt::format("{}:{}", name, std::max(1, error.mark.line + 1)));
  }
}

}  // namespace jikji
