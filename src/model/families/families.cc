#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "model/families/family.h"

namespace jikji {

extern const Family kLlama;
extern const Family kQwen2;
extern const Family kQwen3;
extern const Family kExaone4;
extern const Family kHyperClovaX;

namespace {

const Family* const kFamilies[] = {&kLlama, &kQwen2, &kQwen3, &kExaone4, &kHyperClovaX};

template <class Names>
const Family* Find(std::string_view wanted, Names names) {
  for (const Family* family : kFamilies) {
    const auto own = names(*family);
    if (std::ranges::find(own, wanted) != own.end()) return family;
  }
  return nullptr;
}

template <class Names>
std::string List(Names names) {
  std::vector<std::string_view> all;
  for (const Family* family : kFamilies) {
    const auto some = names(*family);
    all.insert(all.end(), some.begin(), some.end());
  }
  return fmt::format("{}", fmt::join(all, ", "));
}

constexpr auto kModelTypes = [](const Family& family) { return family.model_types; };
constexpr auto kArchitectures = [](const Family& family) { return family.architectures; };

}  // namespace

std::span<const Family* const> Families() { return kFamilies; }

const Family* FamilyNamed(std::string_view name) {
  return Find(name, [](const Family& family) { return std::span(&family.name, 1); });
}
const Family* FamilyOfModelType(std::string_view model_type) {
  return Find(model_type, kModelTypes);
}
const Family* FamilyOfArchitecture(std::string_view architecture) {
  return Find(architecture, kArchitectures);
}
std::string SupportedModelTypes() { return List(kModelTypes); }
std::string SupportedArchitectures() { return List(kArchitectures); }

std::string TensorName(const Family& family, CheckpointFormat format, TensorRole role,
                       int32_t layer) {
  std::string_view name;
  if (format == CheckpointFormat::kGguf) {
    name = GgufName(role);
  } else {
    name = HuggingFaceName(role);
    for (const RoleName& own : family.hugging_face_names) {
      if (own.role == role) name = own.name;
    }
  }
  if (layer < 0) return std::string(name);
  return fmt::format("{}.{}.{}", format == CheckpointFormat::kGguf ? "blk" : "model.layers", layer,
                     name);
}

}  // namespace jikji
