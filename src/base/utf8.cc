#include "base/utf8.h"

#include <cstring>

namespace jikji {
namespace {

// Table 3-7 of the Unicode standard: which second byte may follow each lead byte.
struct Lead {
  uint8_t length;
  uint8_t second_low;
  uint8_t second_high;
};

constexpr Lead LeadOf(uint8_t byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// How many bytes at the start are a well-formed prefix of the character that `lead` begins.
size_t PrefixLength(std::string_view text, const Lead& lead) {
  size_t taken = 1;
  while (taken < lead.length && taken < text.size()) {
    const auto byte = static_cast<uint8_t>(text[taken]);
    const uint8_t low = taken == 1 ? lead.second_low : 0x80;
    const uint8_t high = taken == 1 ? lead.second_high : 0xBF;
    if (byte < low || byte > high) break;
    ++taken;
  }
  return taken;
}

}  // namespace

Utf8Char DecodeUtf8(std::string_view text) {
  if (text.empty()) return {};
  const auto first = static_cast<uint8_t>(text[0]);
  const Lead lead = LeadOf(first);
  if (lead.length == 1) return {first, 1, true};
  if (lead.length == 0) return {kReplacementCharacter, 1, false};
  const size_t taken = PrefixLength(text, lead);
  if (taken < lead.length) return {kReplacementCharacter, static_cast<uint32_t>(taken), false};
  char32_t code = first & (0xFFu >> (lead.length + 1));
  for (size_t i = 1; i < taken; ++i) code = (code << 6) | (static_cast<uint8_t>(text[i]) & 0x3Fu);
  return {code, lead.length, true};
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    uint64_t word;  // eight ASCII bytes at a time: most of JSON and code
    while (text.size() >= sizeof word) {
      std::memcpy(&word, text.data(), sizeof word);
      if ((word & 0x8080808080808080ull) != 0) break;
      text.remove_prefix(sizeof word);
    }
    if (text.empty()) break;
    const Utf8Char c = DecodeUtf8(text);
    if (!c.valid) return false;
    text.remove_prefix(c.length);
  }
  return true;
}

void AppendUtf8(char32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

size_t IncompleteUtf8Suffix(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const std::string_view tail = text.substr(text.size() - back);
    const Lead lead = LeadOf(static_cast<uint8_t>(tail[0]));
    if (lead.length == 1) return 0;
    if (lead.length == 0) continue;  // a continuation byte (or one that never starts a character)
    return lead.length > back && PrefixLength(tail, lead) == back ? back : 0;
  }
  return 0;
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8(text);
    if (c.valid) {
      out.append(text.substr(0, c.length));
    } else {
      AppendUtf8(kReplacementCharacter, out);
    }
    text.remove_prefix(c.length);
  }
  return out;
}

}  // namespace jikji
