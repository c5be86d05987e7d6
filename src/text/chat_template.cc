#include "text/chat_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <new>
#include <optional>
#include <stdexcept>

#include "base/utf8.h"
#include "text/jinja/evaluator.h"
#include "text/jinja/parser.h"
#include "text/jinja/unicode.h"

namespace jikji {
namespace {

// "line 3, column 14" of a byte of the source.
std::string Where(std::string_view source, size_t position) {
  const auto before = source.substr(0, position);
  const auto line = std::ranges::count(before, '\n') + 1;
  const auto start = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("template line {}, column {}", line,
                     jinja::CountChars(before.substr(start)) + 1);
}

jinja::Value FromJson(jinja::Runtime& runtime, const boost::json::value& json, size_t depth) {
  using jinja::Value;
  if (depth > runtime.max_depth()) runtime.TooDeep();
  auto text = [&](std::string_view view) {
    return runtime.String(IsValidUtf8(view) ? std::string(view) : ReplaceInvalidUtf8(view));
  };
  switch (json.kind()) {
    case boost::json::kind::null:
      return Value::None();
    case boost::json::kind::bool_:
      return Value::Bool(json.get_bool());
    case boost::json::kind::int64:
      return Value::Int(json.get_int64());
    case boost::json::kind::uint64:
      if (json.get_uint64() > INT64_MAX) jinja::RaiseOverflow();
      return Value::Int(static_cast<int64_t>(json.get_uint64()));
    case boost::json::kind::double_:
      return Value::Float(json.get_double());
    case boost::json::kind::string:
      return text(json.get_string());
    case boost::json::kind::array: {
      std::vector<Value> items;
      items.reserve(json.get_array().size());
      for (const auto& item : json.get_array()) items.push_back(FromJson(runtime, item, depth + 1));
      return runtime.List(std::move(items));
    }
    case boost::json::kind::object: {
      std::vector<std::pair<Value, Value>> entries;
      entries.reserve(json.get_object().size());
      for (const auto& [key, item] : json.get_object()) {
        entries.emplace_back(text(key), FromJson(runtime, item, depth + 1));
      }
      return runtime.Dict(std::move(entries));
    }
  }
  return Value();
}

}  // namespace

struct ChatTemplate::Program {
  jinja::Template tree;
  TemplateLimits limits;
};

ChatTemplate::ChatTemplate(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

Result<ChatTemplate> ChatTemplate::Compile(std::string_view source, const TemplateLimits& limits) {
  if (source.size() > limits.max_source) {
    return Fail(ErrorCode::kResourceExhausted,
                fmt::format("the template is longer than {} bytes", limits.max_source), "template");
  }
  if (!IsValidUtf8(source)) {
    return Fail(ErrorCode::kMalformed, "the template is not UTF-8", "template");
  }
  auto program = std::make_unique<Program>();
  program->limits = limits;
  try {
    program->tree = jinja::ParseTemplate(source, limits.max_depth);
  } catch (const jinja::SyntaxError& error) {
    return Fail(error.exhausted     ? ErrorCode::kResourceExhausted
                : error.unsupported ? ErrorCode::kUnsupported
                                    : ErrorCode::kMalformed,
                error.message, Where(jinja::NormalizeSource(source), error.position));
  }
  return ChatTemplate(std::move(program));
}

Result<std::string> ChatTemplate::Render(const boost::json::object& variables, int64_t now) const {
  const jinja::Template& tree = program_->tree;
  jinja::Runtime runtime(program_->limits, now);
  try {
    auto scope = std::make_shared<jinja::Scope>(nullptr);
    // transformers gives these to every template, also where the caller has none.
    static const boost::json::value kNull, kFalse = false;
    const std::pair<std::string_view, const boost::json::value*> defaults[] = {
        {"tools", &kNull}, {"documents", &kNull}, {"add_generation_prompt", &kFalse}};
    auto set = [&](std::string_view name, const boost::json::value& value) {
      if (const auto symbol = tree.symbols.Find(std::string(name))) {
        scope->Set(*symbol, FromJson(runtime, value, 0));
      }
    };
    for (const auto& [name, value] : defaults) {
      if (!variables.contains(name)) set(name, *value);
    }
    for (const auto& [name, value] : variables) set(name, value);
    jinja::Evaluator evaluator(tree, runtime);
    jinja::Buffer out(runtime);
    evaluator.Run(std::move(scope), out);
    return out.Take();
  } catch (const jinja::Failure& failure) {
    return Fail(failure.code, failure.message, Where(tree.source, runtime.position));
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kResourceExhausted, "the template needs too much memory", "template");
  } catch (const std::length_error&) {
    return Fail(ErrorCode::kResourceExhausted, "the template needs too much memory", "template");
  }
}

}  // namespace jikji
