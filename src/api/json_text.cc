#include "api/json_text.h"

#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace jikji {
namespace {

void AppendEscaped(std::string_view text, std::string& out) {
  size_t plain = 0;  // where the bytes not yet copied begin
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7F) continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (byte) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default: {
        constexpr char kHex[] = "0123456789abcdef";
        out += "\\u00";
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
      }
    }
  }
  out.append(text, plain);
}

}  // namespace

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  if (IsValidUtf8(text)) {
    AppendEscaped(text, out);
  } else {
    AppendEscaped(ReplaceInvalidUtf8(text), out);
  }
  out += '"';
}

void AppendJsonInt(int64_t value, std::string& out) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

void AppendJsonFloat(float value, std::string& out) {
  if (!std::isfinite(value)) value = 0;
  char buffer[48];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

void AppendJsonLogprob(float value, std::string& out) {
  constexpr float kVeryUnlikely = -9999.0f;
  if (!(value > kVeryUnlikely)) {
    out += "-9999.0";
  } else {
    AppendJsonFloat(value > 0 ? 0 : value, out);
  }
}

void AppendJsonBytes(std::string_view bytes, std::string& out) {
  out += '[';
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) out += ',';
    AppendJsonInt(static_cast<unsigned char>(bytes[i]), out);
  }
  out += ']';
}

}  // namespace jikji
