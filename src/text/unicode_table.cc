#include "text/unicode_table.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <string>

namespace jikji {
namespace {

bool IsWhiteSpace(char32_t code) {
  return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
         code == 0x202F || code == 0x205F || code == 0x3000;
}

uint8_t CategoryFlags(utf8proc_category_t category) {
  switch (category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LT:
      return kLetter | kUpperLike;
    case UTF8PROC_CATEGORY_LL:
      return kLetter | kLowerLike;
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return kLetter | kUpperLike | kLowerLike;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return kMark | kUpperLike | kLowerLike;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return kNumber;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
      return kPunctuation;
    default:
      return 0;
  }
}

// True for what may compose with the character before it, and for what NFC replaces by itself.
// Conservative: every mark counts, since nearly all that compose are marks.
bool MayChangeInNfc(char32_t code, const utf8proc_property_t& property, uint8_t flags) {
  if (flags & kMark || property.combining_class != 0) return true;
  if (code >= 0x1160 && code <= 0x11FF) return true;  // vowel and final jamo
  if (code >= 0xAC00 && code <= 0xD7A3) return false;
  if (property.decomp_seqindex == UINT16_MAX || property.decomp_type != 0) return false;
  // A canonical decomposition: most compose back to the same character, singletons do not.
  utf8proc_int32_t parts[32];
  int boundary = 0;
  const auto count = utf8proc_decompose_char(
      static_cast<utf8proc_int32_t>(code), parts, 32,
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE), &boundary);
  if (count <= 0 || count > 32) return true;
  const auto composed = utf8proc_normalize_utf32(
      parts, count, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  return composed != 1 || parts[0] != static_cast<utf8proc_int32_t>(code);
}

}  // namespace

const UnicodeTable& UnicodeTable::Get() {
  static const UnicodeTable table;
  return table;
}

UnicodeTable::UnicodeTable() {
  std::map<std::array<uint8_t, 256>, uint16_t> seen;
  for (uint32_t block = 0; block < block_of_.size(); ++block) {
    std::array<uint8_t, 256> flags{};
    for (uint32_t low = 0; low < 256; ++low) {
      const char32_t code = block << 8 | low;
      const utf8proc_property_t& property =
          *utf8proc_get_property(static_cast<utf8proc_int32_t>(code));
      uint8_t value = CategoryFlags(static_cast<utf8proc_category_t>(property.category));
      if (IsWhiteSpace(code)) value |= kSpace;
      if (MayChangeInNfc(code, property, value)) value |= kNfcMaybe;
      flags[low] = value;
    }
    const auto [entry, added] = seen.emplace(flags, static_cast<uint16_t>(seen.size()));
    if (added) blocks_.insert(blocks_.end(), flags.begin(), flags.end());
    block_of_[block] = entry->second;
  }
}

}  // namespace jikji
