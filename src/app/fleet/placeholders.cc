#include "app/fleet/placeholders.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace jikji {
namespace {

bool IsPlain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("-_./:@+").find(c) != std::string_view::npos;
  });
}

}  // namespace

Result<std::string> FillPlaces(std::string_view text,
                               const std::map<std::string, std::string>& values,
                               std::string_view where) {
  for (const auto& [name, value] : values) {
    if (value.empty() || !IsPlain(value)) {
      return Fail(
          ErrorCode::kInvalidArgument,
          fmt::format("`{}` is empty or holds more than letters, digits and -_./:@+", value), name);
    }
  }
  std::string out;
  std::set<std::string> used;
  for (;;) {
    const size_t begin = text.find("${");
    out += text.substr(0, begin);
    if (begin == std::string_view::npos) break;
    const size_t end = text.find('}', begin);
    const std::string name(text.substr(begin + 2, end - begin - 2));
    const auto found = values.find(name);
    if (end == std::string_view::npos || found == values.end()) {
      return Fail(ErrorCode::kInternal, fmt::format("the place `{}` has no value", name),
                  std::string(where));
    }
    out += found->second;
    used.insert(name);
    text.remove_prefix(end + 1);
  }
  for (const auto& [name, value] : values) {
    if (!used.contains(name)) {
      return Fail(ErrorCode::kInternal, fmt::format("there is no place for `{}`", name),
                  std::string(where));
    }
  }
  return out;
}

}  // namespace jikji
