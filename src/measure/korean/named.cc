#include "measure/korean/named.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace jikji::measure {
namespace {

constexpr std::array<std::string_view, 36> kEndings = {
    "공단",   "공사",   "재단",   "센터",   "사무소", "사무실", "은행",   "진흥원", "관리원",
    "보건소", "시청",   "구청",   "군청",   "교육청", "노동청", "보훈처", "복지부", "가족부",
    "교육부", "노동부", "식품부", "교통부", "벤처부", "대학교", "콜센터", "복지로", "사업",
    "제도",   "서비스", "장학금", "지원금", "수당",   "바우처", "대출",   "보험",   "주택"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsLatin(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A byte of a Hangul syllable or another letter beyond ASCII, but for the quotation marks and
// spaces of U+2000 and the brackets and points of U+3000.
bool IsWordByte(std::string_view text, size_t at) {
  return static_cast<unsigned char>(text[at]) >= 0x80;
}

size_t PunctuationBytes(std::string_view text, size_t at) {
  const std::string_view next = text.substr(at, 3);
  const bool general =
      next.size() == 3 && (next.starts_with("\xE2\x80") || next.starts_with("\xE3\x80"));
  return general ? 3 : next.starts_with("\xC2\xB7") ? 2 : 0;
}

size_t RunEnd(std::string_view text, size_t at, bool (*of)(char)) {
  while (at < text.size() && of(text[at])) ++at;
  return at;
}

// Up to the last ending in the word, or nothing.
std::string_view UpToEnding(std::string_view word) {
  size_t best = 0;
  for (const std::string_view ending : kEndings) {
    const size_t at = word.rfind(ending);
    if (at != std::string_view::npos && at > 0) best = std::max(best, at + ending.size());
  }
  return word.substr(0, best);
}

}  // namespace

std::vector<std::string> NamedIn(std::string_view text) {
  std::vector<std::string> named;
  const auto add = [&](std::string_view name) {
    if (!name.empty() && std::ranges::find(named, name) == named.end()) named.emplace_back(name);
  };
  const auto of_number = [](char c) { return IsDigit(c) || c == ',' || c == '.' || c == '-'; };
  const auto of_address = [](char c) {
    return IsDigit(c) || IsLatin(c) || c == '.' || c == '-' || c == '/' || c == ':';
  };
  size_t at = 0;
  while (at < text.size()) {
    if (IsDigit(text[at])) {
      const size_t end = RunEnd(text, at, of_number);
      std::string_view number = text.substr(at, end - at);
      while (!IsDigit(number.back())) number.remove_suffix(1);
      add(number);
      at = end;
    } else if (IsLatin(text[at])) {
      const size_t end = RunEnd(text, at, of_address);
      std::string_view address = text.substr(at, end - at);
      while (!IsLatin(address.back()) && !IsDigit(address.back())) address.remove_suffix(1);
      if (address.find('.') != std::string_view::npos) add(address);
      at = end;
    } else if (const size_t skipped = PunctuationBytes(text, at); skipped > 0) {
      at += skipped;
    } else if (IsWordByte(text, at)) {
      size_t end = at;
      while (end < text.size() && IsWordByte(text, end) && PunctuationBytes(text, end) == 0) ++end;
      add(UpToEnding(text.substr(at, end - at)));
      at = end;
    } else {
      ++at;
    }
  }
  return named;
}

}  // namespace jikji::measure
