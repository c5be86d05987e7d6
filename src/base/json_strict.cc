#include "base/json_strict.h"

#include <boost/json.hpp>

namespace jikji {
namespace {

// Of all objects in `value`.
size_t CountFields(const boost::json::value& value) {
  size_t count = 0;
  if (const auto* object = value.if_object()) {
    count = object->size();
    for (const auto& [name, inner] : *object) count += CountFields(inner);
  } else if (const auto* array = value.if_array()) {
    for (const auto& inner : *array) count += CountFields(inner);
  }
  return count;
}

// Of a text that is valid JSON: colons outside of strings.
size_t CountWrittenFields(std::string_view text) {
  size_t count = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string && text[i] == ':') {
      ++count;
    }
  }
  return count;
}

}  // namespace

Result<boost::json::value> ParseStrictJson(std::string_view text, std::string_view where,
                                           const JsonLimits& limits) {
  JIKJI_ASSIGN(boost::json::value parsed, ParseJson(text, where, limits));
  // The parser keeps the last of two.
  if (CountWrittenFields(text) != CountFields(parsed)) {
    return Fail(ErrorCode::kMalformed, "a field is named twice", std::string(where));
  }
  return parsed;
}

}  // namespace jikji
