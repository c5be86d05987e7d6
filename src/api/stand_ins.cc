#include "api/stand_ins.h"

#include "base/utf8.h"

namespace jikji {
namespace {

constexpr char32_t kLast = 0x10FFFD;

bool IsPrivate(char32_t character) { return character >= 0xF0000 && character <= kLast; }

// Calls visit(character, bytes) for each character of a private plane; those begin with F3 or F4.
template <class Visit>
void ForEachPrivate(std::string_view text, const Visit& visit) {
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0xF3) {
      ++at;
      continue;
    }
    const Utf8Char character = DecodeUtf8(text.substr(at));
    if (character.valid && IsPrivate(character.code_point)) {
      visit(character.code_point, TextSpan{at, at + character.length});
    }
    at += character.length;
  }
}

}  // namespace

void StandIns::Avoid(std::string_view text) {
  ForEachPrivate(text, [&](char32_t character, TextSpan) { used_.insert(character); });
}

char32_t StandIns::Take() {
  while (next_ <= kLast && (used_.contains(next_) || (next_ & 0xFFFE) == 0xFFFE)) ++next_;
  if (next_ > kLast) {
    enough_ = false;
    return kReplacementCharacter;
  }
  return next_++;
}

std::string StandIns::Replace(std::string_view text, const std::vector<TextSpan>& spans) {
  std::string out;
  size_t copied = 0;
  for (const TextSpan& span : spans) {
    out.append(text, copied, span.begin - copied);
    copied = span.end;
    const std::string_view stretch = text.substr(span.begin, span.end - span.begin);
    auto known = by_text_.find(stretch);
    if (known == by_text_.end()) {
      const char32_t character = Take();
      known = by_text_.emplace(stretch, character).first;
      by_character_.emplace(character, stretch);
    }
    AppendUtf8(known->second, out);
  }
  out.append(text, copied);
  return out;
}

bool StandIns::Contains(std::string_view text) const {
  bool contains = false;
  ForEachPrivate(
      text, [&](char32_t character, TextSpan) { contains |= by_character_.contains(character); });
  return contains;
}

std::string StandIns::Restore(std::string_view text) const {
  std::string out;
  size_t copied = 0;
  ForEachPrivate(text, [&](char32_t character, TextSpan span) {
    const auto known = by_character_.find(character);
    if (known == by_character_.end()) return;
    out.append(text, copied, span.begin - copied);
    out += known->second;
    copied = span.end;
  });
  out.append(text, copied);
  return out;
}

}  // namespace jikji
