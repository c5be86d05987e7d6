#include "api/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/json.h"

namespace jikji {

Result<std::optional<int64_t>> IntIn(const boost::json::object& body, std::string_view key,
                                     int64_t least, int64_t most) {
  const auto read = OptionalInt(body, key);
  if (!read && body.at(key).is_number()) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("`{}` must be an integer from {} to {}", key, least, most),
                std::string(key));
  }
  JIKJI_ASSIGN(const auto value, read);
  if (value && (*value < least || *value > most)) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("`{}` must be from {} to {}, not {}", key, least, most, *value),
                std::string(key));
  }
  return value;
}

Result<std::optional<double>> NumberIn(const boost::json::object& body, std::string_view key,
                                       double least, double most) {
  JIKJI_ASSIGN(const auto value, OptionalNumber(body, key));
  if (value && !(*value >= least && *value <= most)) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("`{}` must be from {} to {}, not {}", key, least, most, *value),
                std::string(key));
  }
  return value;
}

Result<bool> BoolOr(const boost::json::object& body, std::string_view key, bool otherwise) {
  JIKJI_ASSIGN(const auto value, OptionalBool(body, key));
  return value.value_or(otherwise);
}

Result<std::vector<std::string>> StringOrStrings(const boost::json::object& body,
                                                 std::string_view key, size_t most,
                                                 size_t max_bytes) {
  std::vector<std::string> strings;
  const boost::json::value* value = body.if_contains(key);
  if (value == nullptr || value->is_null()) return strings;
  const auto wrong = [&](std::string_view rule) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("`{}` {}", key, rule), std::string(key));
  };
  if (const auto* text = value->if_string()) {
    strings.emplace_back(*text);
  } else if (const auto* list = value->if_array()) {
    if (list->size() > most) return wrong(fmt::format("takes at most {} strings", most));
    for (const boost::json::value& item : *list) {
      if (!item.is_string()) return wrong("must be a string or a list of strings");
      strings.emplace_back(item.get_string());
    }
  } else {
    return wrong("must be a string or a list of strings");
  }
  for (const std::string& text : strings) {
    if (text.empty()) return wrong("must not hold an empty string");
    if (text.size() > max_bytes) {
      return wrong(fmt::format("must not hold a string of more than {} bytes", max_bytes));
    }
  }
  return strings;
}

Result<std::vector<int32_t>> TokenIds(const boost::json::object& body, std::string_view key,
                                      size_t most, int64_t limit) {
  std::vector<int32_t> ids;
  JIKJI_ASSIGN(const boost::json::array* list, OptionalArray(body, key));
  if (list == nullptr) return ids;
  const auto wrong = [&](std::string_view rule) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("`{}` {}", key, rule), std::string(key));
  };
  if (list->size() > most) return wrong(fmt::format("takes at most {} token ids", most));
  ids.reserve(list->size());
  for (const boost::json::value& item : *list) {
    const int64_t* id = item.if_int64();
    if (id == nullptr) return wrong("must be a list of token ids (integers)");
    if (*id < 0 || *id >= limit) {
      return wrong(fmt::format("holds {}, which is no token id (0 to {})", *id, limit - 1));
    }
    ids.push_back(static_cast<int32_t>(*id));
  }
  return ids;
}

Result<> RefuseFields(const boost::json::object& body, std::span<const RefusedField> refused) {
  for (const RefusedField& field : refused) {
    const boost::json::value* value = body.if_contains(field.name);
    if (value == nullptr || value->is_null()) continue;
    if (field.false_is_harmless && value->is_bool() && !value->get_bool()) continue;
    return Fail(ErrorCode::kUnsupported,
                fmt::format("`{}` {}; leave it out", field.name, field.why),
                std::string(field.name));
  }
  return {};
}

std::vector<std::string> UnknownFields(const boost::json::object& body,
                                       std::span<const std::span<const std::string_view>> known) {
  std::vector<std::string> unknown;
  for (const auto& member : body) {
    const std::string_view key = member.key();
    const bool listed = std::ranges::any_of(known, [&](std::span<const std::string_view> list) {
      return std::ranges::find(list, key) != list.end();
    });
    if (!listed) unknown.emplace_back(key);
  }
  return unknown;
}

}  // namespace jikji
