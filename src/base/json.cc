#include "base/json.h"

#include <boost/json.hpp>
#include <cmath>

#include "base/file.h"
#include "base/utf8.h"

namespace jikji {
namespace {

std::string Join(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : std::string(path) + "." + std::string(key);
}

std::unexpected<Error> WrongType(const boost::json::value& value, const char* wanted,
                                 std::string_view path, std::string_view key) {
  const std::string where = Join(path, key);
  return Fail(ErrorCode::kInvalidArgument,
              "`" + where + "` must be " + wanted + ", not " + JsonTypeName(value), where);
}

// The value under `key`, or nullptr where it is absent or null.
const boost::json::value* Present(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<int64_t> AsInt(const boost::json::value& value) {
  if (const int64_t* number = value.if_int64()) return *number;
  if (const double* number = value.if_double()) {
    // 2^53: beyond it a double no longer names one integer.
    if (std::trunc(*number) == *number && std::abs(*number) <= 9007199254740992.0) {
      return static_cast<int64_t>(*number);
    }
  }
  return std::nullopt;
}

bool EndsInLeadingSurrogate(std::string_view text) {
  constexpr size_t kEscape = 6;  // \uD800 to \uDBFF
  if (text.size() < kEscape) return false;
  const std::string_view escape = text.substr(text.size() - kEscape);
  return escape.starts_with("\\u") && (escape[2] == 'd' || escape[2] == 'D') &&
         std::string_view("89abAB").find(escape[3]) != std::string_view::npos;
}

// The parser names some unpaired surrogates and calls the others a syntax error, at the byte that
// should have begun the second escape or at the one after it.
bool IsSurrogateError(const boost::system::error_code& error, std::string_view read) {
  return error == boost::json::error::illegal_leading_surrogate ||
         error == boost::json::error::illegal_trailing_surrogate ||
         error == boost::json::error::expected_utf16_escape || EndsInLeadingSurrogate(read) ||
         (!read.empty() && EndsInLeadingSurrogate(read.substr(0, read.size() - 1)));
}

}  // namespace

Result<boost::json::value> ParseJson(std::string_view text, std::string_view where,
                                     const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return Fail(ErrorCode::kResourceExhausted,
                "JSON of " + std::to_string(text.size()) + " bytes; at most " +
                    std::to_string(limits.max_bytes) + " are read",
                std::string(where));
  }
  boost::json::parse_options options;
  options.max_depth = limits.max_depth;
  boost::json::stream_parser parser({}, options);
  boost::system::error_code error;
  const size_t read = parser.write_some(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  if (!error && read < text.size()) error = boost::json::error::extra_data;
  if (error) {
    std::string message = "not valid JSON: " + error.message() + " at byte " + std::to_string(read);
    if (IsSurrogateError(error, text.substr(0, read))) message += " (an unpaired surrogate)";
    if (!IsValidUtf8(text)) message += " (the text is not valid UTF-8)";
    return Fail(ErrorCode::kMalformed, std::move(message), std::string(where));
  }
  return parser.release();
}

Result<boost::json::value> ParseJsonFile(const std::string& path, const JsonLimits& limits) {
  JIKJI_ASSIGN(const std::string text, ReadFile(path, limits.max_bytes));
  return ParseJson(text, path, limits);
}

Result<std::optional<bool>> OptionalBool(const boost::json::object& object, std::string_view key,
                                         std::string_view path) {
  const auto* value = Present(object, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_bool()) return WrongType(*value, "a boolean", path, key);
  return value->get_bool();
}

Result<std::optional<int64_t>> OptionalInt(const boost::json::object& object, std::string_view key,
                                           std::string_view path) {
  const auto* value = Present(object, key);
  if (value == nullptr) return std::nullopt;
  const auto number = AsInt(*value);
  if (!number) return WrongType(*value, "an integer", path, key);
  return number;
}

Result<std::optional<double>> OptionalNumber(const boost::json::object& object,
                                             std::string_view key, std::string_view path) {
  const auto* value = Present(object, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) return WrongType(*value, "a number", path, key);
  return value->to_number<double>();
}

Result<std::optional<std::string>> OptionalString(const boost::json::object& object,
                                                  std::string_view key, std::string_view path) {
  const auto* value = Present(object, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return WrongType(*value, "a string", path, key);
  return std::string(value->get_string());
}

Result<const boost::json::object*> OptionalObject(const boost::json::object& object,
                                                  std::string_view key, std::string_view path) {
  const auto* value = Present(object, key);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) return WrongType(*value, "an object", path, key);
  return &value->get_object();
}

Result<const boost::json::array*> OptionalArray(const boost::json::object& object,
                                                std::string_view key, std::string_view path) {
  const auto* value = Present(object, key);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) return WrongType(*value, "an array", path, key);
  return &value->get_array();
}

const char* JsonTypeName(const boost::json::value& value) {
  switch (value.kind()) {
    case boost::json::kind::object:
      return "object";
    case boost::json::kind::array:
      return "array";
    case boost::json::kind::string:
      return "string";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
      return "integer";
    case boost::json::kind::double_:
      return "number";
    case boost::json::kind::bool_:
      return "boolean";
    case boost::json::kind::null:
      return "null";
  }
  return "value";
}

}  // namespace jikji
