#include "text/jinja/string_literal.h"

#include <fmt/format.h>

#include "base/utf8.h"

namespace jikji::jinja {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Reads `count` hexadecimal digits at `*at`.
Result<char32_t> ReadHex(std::string_view text, size_t* at, size_t count) {
  char32_t value = 0;
  for (size_t i = 0; i < count; ++i, ++*at) {
    const int digit = *at < text.size() ? HexValue(text[*at]) : -1;
    if (digit < 0) return Fail(ErrorCode::kMalformed, "truncated escape in a string");
    value = value * 16 + static_cast<char32_t>(digit);
  }
  if (value > 0x10FFFF) return Fail(ErrorCode::kMalformed, "illegal Unicode character");
  if (value >= 0xD800 && value < 0xE000) {
    return Fail(ErrorCode::kMalformed, "a surrogate is not a character");
  }
  return value;
}

}  // namespace

Result<std::string> UnescapeLiteral(std::string_view literal) {
  std::string out;
  out.reserve(literal.size());
  for (size_t at = 0; at < literal.size();) {
    if (literal[at] != '\\') {
      out += literal[at++];
      continue;
    }
    if (++at == literal.size()) return Fail(ErrorCode::kMalformed, "\\ at end of string");
    const char c = literal[at++];
    switch (c) {
      case '\n':
        break;
      case '\\':
      case '\'':
      case '"':
        out += c;
        break;
      case 'a':
        out += '\a';
        break;
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'v':
        out += '\v';
        break;
      case 'x':
      case 'u':
      case 'U': {
        JIKJI_ASSIGN(const char32_t value, ReadHex(literal, &at, c == 'x' ? 2 : c == 'u' ? 4 : 8));
        AppendUtf8(value, out);
        break;
      }
      case 'N':
        return Fail(ErrorCode::kUnsupported, "\\N{...} in a string is not supported");
      default:
        if (c >= '0' && c <= '7') {
          char32_t value = static_cast<char32_t>(c - '0');
          for (int i = 0; i < 2 && at < literal.size() && literal[at] >= '0' && literal[at] <= '7';
               ++i) {
            value = value * 8 + static_cast<char32_t>(literal[at++] - '0');
          }
          AppendUtf8(value, out);
          break;
        }
        out += '\\';
        if (static_cast<unsigned char>(c) < 0x80) {
          out += c;
          break;
        }
        // jinja2 writes such a character as an escape before it resolves escapes, so that the
        // backslash before it escapes a backslash.
        const auto decoded = DecodeUtf8(literal.substr(at - 1));
        at += decoded.length - 1;
        const auto code = static_cast<uint32_t>(decoded.code_point);
        out += code < 0x100     ? fmt::format("x{:02x}", code)
               : code < 0x10000 ? fmt::format("u{:04x}", code)
                                : fmt::format("U{:08x}", code);
    }
  }
  return out;
}

}  // namespace jikji::jinja
