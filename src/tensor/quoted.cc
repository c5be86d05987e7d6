#include "tensor/quoted.h"

#include "base/utf8.h"

namespace jikji {
namespace {

constexpr size_t kMaxShown = 200;  // bytes; longer than any name that a model uses

}  // namespace

std::string Quoted(std::string_view name) {
  const std::string_view shown = name.substr(0, kMaxShown);
  std::string out = "`";
  for (const char c : ReplaceInvalidUtf8(shown)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  if (shown.size() < name.size()) out += "...";
  out += "`";
  return out;
}

}  // namespace jikji
