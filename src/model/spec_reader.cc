#include "model/spec_reader.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "model/config_fields.h"
#include "model/families/common.h"
#include "model/families/family.h"

namespace jikji {
namespace {

// Names come from a file: an error quotes the start of a long one.
std::string Shortened(const std::string& name) {
  constexpr size_t kShown = 64;
  return name.size() <= kShown ? name : name.substr(0, kShown) + "...";
}

}  // namespace

Result<DecoderSpec> SpecFromConfig(const boost::json::object& config, const std::string& file) {
  const auto fields = JsonFields(config, file);
  JIKJI_ASSIGN(const auto type, fields->FindString("model_type"));
  if (!type) return fields->Malformed("model_type", "is missing");
  const Family* family = FamilyOfModelType(*type);
  if (family == nullptr) {
    return fields->Unsupported("model_type", fmt::format("is \"{}\"; supported are {}",
                                                         Shortened(*type), SupportedModelTypes()));
  }
  JIKJI_ASSIGN(DecoderSpec spec, ReadSharedConfig(*family, *fields));
  JIKJI_RETURN_IF_ERROR(family->from_config(*fields, spec));
  return spec;
}

Result<DecoderSpec> SpecFromGguf(const Checkpoint& checkpoint) {
  const std::string file = checkpoint.path().string();
  auto architecture = checkpoint.metadata().String("general.architecture");
  if (!architecture) {
    architecture.error().where = file;
    return std::unexpected(architecture.error());
  }
  if (!*architecture) {
    return Fail(ErrorCode::kMalformed, "the GGUF key `general.architecture` is missing", file);
  }
  const std::string& name = **architecture;
  const Family* family = FamilyOfArchitecture(name);
  if (family == nullptr) {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("`general.architecture` is \"{}\"; supported are {}", Shortened(name),
                            SupportedArchitectures()),
                file);
  }
  const auto keys = GgufFields(checkpoint.metadata(), file, name);
  JIKJI_ASSIGN(DecoderSpec spec, ReadSharedGguf(*family, *keys, checkpoint));
  JIKJI_RETURN_IF_ERROR(family->from_gguf(*keys, checkpoint, spec));
  return spec;
}

}  // namespace jikji
