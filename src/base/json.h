// JSON at the door: parse within limits, read fields with errors that name their path.
//
// Boost.JSON holds the values. Non-goals: schemas, streaming.
#ifndef JIKJI_BASE_JSON_H_
#define JIKJI_BASE_JSON_H_

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji {

struct JsonLimits {
  size_t max_depth = 64;
  size_t max_bytes = 1ull << 30;
};

// `where` names the document in errors: a path, or empty for a request body.
Result<boost::json::value> ParseJson(std::string_view text, std::string_view where = {},
                                     const JsonLimits& limits = {});

Result<boost::json::value> ParseJsonFile(const std::string& path, const JsonLimits& limits = {});

// Readers of one field. An absent field and null are nullopt; a wrong type is an error whose
// `where` is `path.key` (or `key` where path is empty). Integers accept 3.0 but not 3.5.
Result<std::optional<bool>> OptionalBool(const boost::json::object& object, std::string_view key,
                                         std::string_view path = {});
Result<std::optional<int64_t>> OptionalInt(const boost::json::object& object, std::string_view key,
                                           std::string_view path = {});
Result<std::optional<double>> OptionalNumber(const boost::json::object& object,
                                             std::string_view key, std::string_view path = {});
Result<std::optional<std::string>> OptionalString(const boost::json::object& object,
                                                  std::string_view key, std::string_view path = {});
// nullptr where absent or null; the pointer lives as long as `object`.
Result<const boost::json::object*> OptionalObject(const boost::json::object& object,
                                                  std::string_view key, std::string_view path = {});
Result<const boost::json::array*> OptionalArray(const boost::json::object& object,
                                                std::string_view key, std::string_view path = {});

// "object", "array", "string", "integer", "number", "boolean" or "null".
const char* JsonTypeName(const boost::json::value& value);

}  // namespace jikji

#endif  // JIKJI_BASE_JSON_H_
