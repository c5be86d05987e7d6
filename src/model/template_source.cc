#include "model/template_source.h"

#include <boost/json.hpp>

#include "base/file.h"
#include "base/json.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr uint64_t kMaxTemplateBytes = 1 << 20;  // as TemplateLimits::max_source
constexpr size_t kMaxConfigBytes = 64 << 20;     // tokenizer_config.json may list every added token
constexpr std::string_view kKey = "chat_template";

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// The template named "default" of [{"name": ..., "template": ...}, ...].
Result<std::string> DefaultOf(const json::array& list, const std::string& file) {
  for (const json::value& item : list) {
    const json::object* entry = item.if_object();
    const json::value* name = entry == nullptr ? nullptr : entry->if_contains("name");
    const json::value* text = entry == nullptr ? nullptr : entry->if_contains("template");
    if (name == nullptr || !name->is_string() || text == nullptr || !text->is_string()) {
      return Fail(
          ErrorCode::kMalformed,
          "`chat_template` is a list, so each entry must have strings `name` and `template`", file);
    }
    if (name->get_string() == "default") return std::string(text->get_string());
  }
  return Fail(ErrorCode::kUnsupported, "`chat_template` has several, none of them named default",
              file);
}

Result<TemplateSource> FromJson(const fs::path& path) {
  JsonLimits limits;
  limits.max_bytes = kMaxConfigBytes;
  JIKJI_ASSIGN(const json::value root, ParseJsonFile(path.string(), limits));
  const json::object* object = root.if_object();
  if (object == nullptr) {
    return Fail(ErrorCode::kMalformed, "must be a JSON object", path.string());
  }
  const json::value* value = object->if_contains(kKey);
  if (value == nullptr || value->is_null()) return TemplateSource{};
  TemplateSource source;
  source.where = path.string() + ": chat_template";
  if (value->is_string()) {
    source.text = value->get_string();
  } else if (value->is_array()) {
    JIKJI_ASSIGN(source.text, DefaultOf(value->get_array(), path.string()));
  } else {
    return Fail(
        ErrorCode::kMalformed,
        std::string("`chat_template` must be a string or a list, not ") + JsonTypeName(*value),
        path.string());
  }
  return source;
}

}  // namespace

Result<TemplateSource> FindTemplate(const Checkpoint& checkpoint) {
  if (checkpoint.format() == CheckpointFormat::kGguf) {
    auto text = checkpoint.metadata().String("tokenizer.chat_template");
    if (!text) {
      text.error().where = checkpoint.path().string();
      return std::unexpected(text.error());
    }
    if (!*text) return TemplateSource{};
    return TemplateSource{**text, checkpoint.path().string() + ": tokenizer.chat_template"};
  }
  return FindTemplate(checkpoint.path());
}

Result<TemplateSource> FindTemplate(const fs::path& folder) {
  const fs::path jinja = folder / "chat_template.jinja";
  if (Exists(jinja)) {
    JIKJI_ASSIGN(std::string text, ReadFile(jinja, kMaxTemplateBytes));
    return TemplateSource{std::move(text), jinja.string()};
  }
  for (const char* name : {"tokenizer_config.json", "chat_template.json"}) {
    const fs::path path = folder / name;
    if (!Exists(path)) continue;
    JIKJI_ASSIGN(TemplateSource source, FromJson(path));
    if (!source.text.empty()) return source;
  }
  return TemplateSource{};
}

}  // namespace jikji
