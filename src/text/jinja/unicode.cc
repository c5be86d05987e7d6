#include "text/jinja/unicode.h"

#include <utf8proc.h>

#include <algorithm>

#include "base/utf8.h"
#include "text/jinja/special_case.h"

namespace jikji::jinja {
namespace {

utf8proc_category_t Category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

void AppendUpper(char32_t c, std::string& out) {
  const auto* special = std::ranges::lower_bound(kSpecialUpper, c, {}, &SpecialCase::from);
  if (special != std::end(kSpecialUpper) && special->from == c) {
    for (char32_t to : special->to) {
      if (to) AppendUtf8(to, out);
    }
    return;
  }
  AppendUtf8(static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c))), out);
}

void AppendTitle(char32_t c, std::string& out) {
  const auto* special = std::ranges::lower_bound(kSpecialTitle, c, {}, &SpecialCase::from);
  if (special != std::end(kSpecialTitle) && special->from == c) {
    for (char32_t to : special->to) {
      if (to) AppendUtf8(to, out);
    }
    return;
  }
  AppendUtf8(static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(c))), out);
}

bool IsCaseIgnorable(char32_t c) {
  switch (Category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return c == '\'' || c == '.' || c == ':' || c == 0xB7 || c == 0x2018 || c == 0x2019;
  }
}

// A capital sigma at the end of a word becomes ς.
bool IsFinalSigma(std::string_view text, size_t at) {
  // Backwards, so that a text of many sigmas costs no square: a run between two is read twice.
  bool before = false;
  for (size_t i = at; i > 0;) {
    do --i;
    while (i > 0 && (text[i] & 0xC0) == 0x80);
    const auto c = DecodeUtf8(text.substr(i));
    if (IsCaseIgnorable(c.code_point)) continue;
    before = IsCased(c.code_point);
    break;
  }
  if (!before) return false;
  for (size_t i = at + CharBytes(text[at]); i < text.size();) {
    const auto c = DecodeUtf8(text.substr(i));
    i += c.length;
    if (!IsCaseIgnorable(c.code_point)) return !IsCased(c.code_point);
  }
  return true;
}

void AppendLower(std::string_view text, size_t at, char32_t c, std::string& out) {
  if (c == 0x130) {
    out += "i\xCC\x87";
  } else if (c == 0x3A3) {
    out += IsFinalSigma(text, at) ? "\xCF\x82" : "\xCF\x83";
  } else {
    AppendUtf8(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))), out);
  }
}

// Calls body(offset, code point) for each character.
template <class Body>
void ForEach(std::string_view text, Body body) {
  for (size_t at = 0; at < text.size();) {
    const auto c = DecodeUtf8(text.substr(at));
    body(at, c.code_point);
    at += c.length;
  }
}

}  // namespace

bool IsSpace(char32_t c) {
  if (c < 0x80) return (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x20);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool IsLineBreak(char32_t c) {
  return (c >= 10 && c <= 13) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

bool IsAlpha(char32_t c) {
  const auto category = Category(c);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool IsDecimal(char32_t c) { return Category(c) == UTF8PROC_CATEGORY_ND; }

bool IsDigit(char32_t c) {
  if (IsDecimal(c)) return true;
  // Unicode's Numeric_Type=Digit: superscripts, circled digits and the like.
  static constexpr char32_t kRanges[][2] = {
      {0xB2, 0xB3},       {0xB9, 0xB9},       {0x1369, 0x1371},   {0x19DA, 0x19DA},
      {0x2070, 0x2070},   {0x2074, 0x2079},   {0x2080, 0x2089},   {0x2460, 0x2468},
      {0x2474, 0x247C},   {0x2488, 0x2490},   {0x24EA, 0x24EA},   {0x24F5, 0x24FD},
      {0x24FF, 0x24FF},   {0x2776, 0x277E},   {0x2780, 0x2788},   {0x278A, 0x2792},
      {0x10A40, 0x10A43}, {0x10E60, 0x10E68}, {0x11052, 0x1105A}, {0x1F100, 0x1F10A}};
  return std::ranges::any_of(kRanges, [&](auto& range) { return c >= range[0] && c <= range[1]; });
}

bool IsWord(char32_t c) {
  if (c < 0x80)
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
  const auto category = Category(c);
  return IsAlpha(c) || category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL ||
         category == UTF8PROC_CATEGORY_NO;
}

bool IsUpper(char32_t c) { return Category(c) == UTF8PROC_CATEGORY_LU; }
bool IsLower(char32_t c) { return Category(c) == UTF8PROC_CATEGORY_LL; }
bool IsCased(char32_t c) { return IsUpper(c) || IsLower(c) || Category(c) == UTF8PROC_CATEGORY_LT; }

bool IsPrintable(char32_t c) {
  if (c == ' ') return true;
  switch (Category(c)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return false;
    default:
      return true;
  }
}

bool IsIdentifier(std::string_view text) {
  bool first = true, valid = !text.empty();
  ForEach(text, [&](size_t, char32_t c) {
    const bool start = c == '_' || IsAlpha(c) || Category(c) == UTF8PROC_CATEGORY_NL;
    if (!start && (first || !IsDecimal(c))) valid = false;
    first = false;
  });
  return valid;
}

std::string ToUpper(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  ForEach(text, [&](size_t, char32_t c) { AppendUpper(c, out); });
  return out;
}

std::string ToLower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  ForEach(text, [&](size_t at, char32_t c) { AppendLower(text, at, c, out); });
  return out;
}

std::string Capitalize(std::string_view text) {
  std::string out;
  ForEach(text, [&](size_t at, char32_t c) {
    if (at == 0) {
      AppendTitle(c, out);
    } else {
      AppendLower(text, at, c, out);
    }
  });
  return out;
}

std::string ToTitle(std::string_view text) {
  std::string out;
  bool inside = false;
  ForEach(text, [&](size_t at, char32_t c) {
    if (inside) {
      AppendLower(text, at, c, out);
    } else {
      AppendTitle(c, out);
    }
    inside = IsCased(c);
  });
  return out;
}

std::string SwapCase(std::string_view text) {
  std::string out;
  ForEach(text, [&](size_t at, char32_t c) {
    if (IsUpper(c)) {
      AppendLower(text, at, c, out);
    } else if (IsLower(c)) {
      AppendUpper(c, out);
    } else {
      AppendUtf8(c, out);
    }
  });
  return out;
}

size_t CountChars(std::string_view text) {
  size_t count = 0;
  for (char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

size_t ByteOffset(std::string_view text, size_t index) {
  size_t at = 0;
  for (; index > 0 && at < text.size(); --index) at += CharBytes(text[at]);
  return std::min(at, text.size());
}

std::string_view StripSpace(std::string_view text, bool left, bool right) {
  while (left && !text.empty()) {
    const auto c = DecodeUtf8(text);
    if (!IsSpace(c.code_point)) break;
    text.remove_prefix(c.length);
  }
  while (right && !text.empty()) {
    size_t at = text.size() - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    if (!IsSpace(DecodeUtf8(text.substr(at)).code_point)) break;
    text.remove_suffix(text.size() - at);
  }
  return text;
}

}  // namespace jikji::jinja
