#include "measure/korean/scripts.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "text/unicode_table.h"

namespace jikji::measure {
namespace {

struct Range {
  char32_t first, last;
  Script script;
};

// Blocks of Unicode 15; a code point is looked at only where it is a letter.
constexpr std::array kRanges = {
    Range{0x0041, 0x007A, Script::kLatin},   Range{0x00AA, 0x024F, Script::kLatin},
    Range{0x0370, 0x03FF, Script::kGreek},   Range{0x1100, 0x11FF, Script::kHangul},
    Range{0x1E00, 0x1EFF, Script::kLatin},   Range{0x1F00, 0x1FFF, Script::kGreek},
    Range{0x2100, 0x214F, Script::kLatin},   Range{0x3005, 0x3007, Script::kHan},
    Range{0x3130, 0x318F, Script::kHangul},  Range{0x3400, 0x4DBF, Script::kHan},
    Range{0x4E00, 0x9FFF, Script::kHan},     Range{0xA960, 0xA97F, Script::kHangul},
    Range{0xAC00, 0xD7FF, Script::kHangul},  Range{0xF900, 0xFAFF, Script::kHan},
    Range{0xFF21, 0xFF5A, Script::kLatin},   Range{0xFFA0, 0xFFDC, Script::kHangul},
    Range{0x1D400, 0x1D7FF, Script::kLatin}, Range{0x20000, 0x3FFFF, Script::kHan},
};

int Depth(char32_t code) {
  if (code == '(' || code == '[' || code == 0xFF08) return 1;
  return code == ')' || code == ']' || code == 0xFF09 ? -1 : 0;
}

}  // namespace

Script ScriptOf(char32_t code) {
  // 〇 (U+3007) is a number to Unicode, and a numeral of Han.
  if (code != 0x3007 && (UnicodeTable::Get().Flags(code) & kLetter) == 0) return Script::kNone;
  for (const Range& range : kRanges) {
    if (code >= range.first && code <= range.last) return range.script;
  }
  return Script::kOther;
}

ScriptUse CountScripts(std::string_view text) {
  ScriptUse use;
  int depth = 0;
  while (!text.empty()) {
    const Utf8Char next = DecodeUtf8(text);
    text.remove_prefix(next.length);
    depth = std::max(0, depth + Depth(next.code_point));
    switch (ScriptOf(next.code_point)) {
      case Script::kHangul:
        ++use.hangul;
        break;
      case Script::kLatin:
        ++use.latin;
        break;
      case Script::kHan:
        use.han += depth == 0 ? 1 : 0;
        break;
      case Script::kOther:
        ++use.other;
        break;
      case Script::kNone:
      case Script::kGreek:
        break;
    }
  }
  return use;
}

}  // namespace jikji::measure
