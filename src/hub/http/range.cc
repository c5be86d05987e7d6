#include "hub/http/range.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace jikji::hub {
namespace {

std::optional<uint64_t> NumberOf(std::string_view text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  // Digits that are too many for 64 bits are a place behind every file.
  if (parsed.ec == std::errc::result_out_of_range && parsed.ptr == end) return UINT64_MAX;
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

}  // namespace

RangeRequest ParseRange(std::string_view header, uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return {};
  header.remove_prefix(kUnit.size());
  const size_t dash = header.find('-');
  if (dash == std::string_view::npos) return {};
  const auto first = NumberOf(header.substr(0, dash));
  const auto last = NumberOf(header.substr(dash + 1));
  using Kind = RangeRequest::Kind;
  if (dash == 0) {  // the last bytes
    if (!last) return {};
    if (*last == 0 || size == 0) return {Kind::kUnsatisfiable, 0, 0};
    return {Kind::kPart, size - std::min(*last, size), size};
  }
  if (!first || (!last && dash + 1 != header.size()) || (last && *last < *first)) return {};
  if (*first >= size) return {Kind::kUnsatisfiable, 0, 0};
  return {Kind::kPart, *first, last ? std::min(*last, size - 1) + 1 : size};
}

}  // namespace jikji::hub
