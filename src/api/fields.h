// Readers of one field of a request body, with the range it may have.
//
// An absent field and null are nullopt. An error names the field in `where`, which becomes `param`.
#ifndef JIKJI_API_FIELDS_H_
#define JIKJI_API_FIELDS_H_

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji {

// A number with a fraction, or beyond int64, is told the range as well.
Result<std::optional<int64_t>> IntIn(const boost::json::object& body, std::string_view key,
                                     int64_t least, int64_t most);
// NaN and infinities are in no range.
Result<std::optional<double>> NumberIn(const boost::json::object& body, std::string_view key,
                                       double least, double most);
Result<bool> BoolOr(const boost::json::object& body, std::string_view key, bool otherwise);

// A string, or a list of at most `most` strings; each of 1 to `max_bytes` bytes.
Result<std::vector<std::string>> StringOrStrings(const boost::json::object& body,
                                                 std::string_view key, size_t most,
                                                 size_t max_bytes);

// A list of at most `most` integers from 0 to `limit` - 1.
Result<std::vector<int32_t>> TokenIds(const boost::json::object& body, std::string_view key,
                                      size_t most, int64_t limit);

// A field that this program does not do. A value that asks for nothing is let pass: null always,
// false where `false_is_harmless`.
struct RefusedField {
  std::string_view name;
  bool false_is_harmless = false;
  std::string_view why = "is not supported by this server";
};
Result<> RefuseFields(const boost::json::object& body, std::span<const RefusedField> refused);

// Keys of `body` that stand in none of the lists.
std::vector<std::string> UnknownFields(const boost::json::object& body,
                                       std::span<const std::span<const std::string_view>> known);

}  // namespace jikji

#endif  // JIKJI_API_FIELDS_H_
