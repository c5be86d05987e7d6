#include "api/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace jikji {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string Decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
        HexDigit(text[i + 2]) >= 0) {
      out += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

Query::Query(std::string_view raw) {
  while (!raw.empty()) {
    const size_t end = std::min(raw.find('&'), raw.size());
    const std::string_view field = raw.substr(0, end);
    const size_t equals = std::min(field.find('='), field.size());
    if (!field.empty()) {
      fields_.emplace_back(Decode(field.substr(0, equals)),
                           Decode(field.substr(std::min(equals + 1, field.size()))));
    }
    raw.remove_prefix(std::min(end + 1, raw.size()));
  }
}

std::optional<std::string> Query::Find(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::vector<std::string> Query::All(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : fields_) {
    if (key == name || key == std::string(name) + "[]") values.push_back(value);
  }
  return values;
}

Result<std::optional<int64_t>> Query::Int(std::string_view name, int64_t least,
                                          int64_t most) const {
  const auto text = Find(name);
  if (!text) return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < least || value > most) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("must be an integer from {} to {}", least, most), std::string(name));
  }
  return value;
}

}  // namespace jikji
