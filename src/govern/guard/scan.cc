#include "govern/guard/scan.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "govern/guard/atom.h"
#include "govern/guard/byte_masks.h"
#include "govern/guard/context_words.h"
#include "govern/guard/email.h"
#include "govern/guard/number.h"

namespace jikji::guard {
namespace {

// Every identifier has seven digits (a passport; all others ten) within 32 bytes of its first one,
// unless characters of zero width, escapes or full-width forms are among them.
constexpr size_t kDigitWindow = 32;
constexpr int kLeastDigits = 7;

ByteMasks MasksAt(std::string_view text, size_t at) {
  if (at + kMaskBytes <= text.size()) return ClassifyBytes(text.data() + at);
  if (at >= text.size()) return {};
  char padded[kMaskBytes] = {};
  std::memcpy(padded, text.data() + at, text.size() - at);
  return ClassifyBytes(padded);
}

// The 32 bits from bit `at` of `low`, then `high`.
uint32_t Window(uint64_t low, uint64_t high, int at) {
  return static_cast<uint32_t>(at == 0 ? low : (low >> at) | (high << (64 - at)));
}

bool IsPlainSeparator(char byte) {
  return byte == ' ' || byte == '-' || byte == '.' || byte == '(' || byte == ')' || byte == '\n' ||
         byte == '\t' || byte == '\r';
}

// Most digits of ordinary text are dates, counts and articles of law. Where what follows is ASCII,
// it is told here at once that the number at `at` is of no kind; false: look closely.
bool BeginsNothing(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && IsDigit(text[end])) ++end;
  const size_t digits = end - at;
  size_t next = end;
  while (next < text.size() && next - end <= Number::kMaxSeparators &&
         IsPlainSeparator(text[next])) {
    ++next;
  }
  const auto byte = next < text.size() ? static_cast<unsigned char>(text[next]) : 0xFF;
  if (byte >= 0x80 || byte == '\\') return false;
  const size_t separators = next - end;
  if (!IsDigit(static_cast<char>(byte)) || separators > Number::kMaxSeparators) {
    // One group: eight or more digits may be something, and three before the letter of a passport.
    return digits < 8 && digits != 3;
  }
  if (digits == 1) return true;
  // Only registration and mobile numbers are parted by more than one character.
  const std::string_view group = text.substr(at, digits);
  return separators > 1 && (digits == 2 || digits == 4 || digits == 5) &&
         !group.starts_with("82") && group != "0082";
}

// The next place from `at` on where something may be found; the text's end if there is none.
size_t NextCandidate(std::string_view text, size_t at, bool final) {
  ByteMasks block = MasksAt(text, at);
  // The last digit of an escape may be written right before.
  bool after_digit = at > 0 && IsDigit(text[at - 1]) && AtomBefore(text, at).length == 1;
  for (; at < text.size(); at += kMaskBytes) {
    const ByteMasks next = MasksAt(text, at + kMaskBytes);
    // In a stream a number may go on past what is there.
    const bool open = !final && at + kMaskBytes + kDigitWindow > text.size();
    const uint64_t starts = block.digits & ~((block.digits << 1) | uint64_t{after_digit});
    const bool few =
        std::popcount(block.digits) + std::popcount(next.digits & 0xFFFFFFFF) < kLeastDigits;
    uint64_t bits = block.exotic;
    if (open || !few || ((block.general | block.exotic) != 0) ||
        ((next.general | next.exotic) & 0xFFFFFFFF) != 0) {
      bits |= starts;
    }
    for (; bits != 0; bits &= bits - 1) {
      const int bit = std::countr_zero(bits);
      if ((block.exotic >> bit & 1) != 0) return at + static_cast<size_t>(bit);
      if (BeginsNothing(text, at + static_cast<size_t>(bit))) continue;
      const uint32_t digits = Window(block.digits, next.digits, bit);
      const uint32_t rare = Window(block.exotic | block.general, next.exotic | next.general, bit);
      if (std::popcount(digits) >= kLeastDigits || rare != 0 ||
          (!final && at + static_cast<size_t>(bit) + kDigitWindow > text.size())) {
        return at + static_cast<size_t>(bit);
      }
    }
    after_digit = block.digits >> 63 != 0;
    block = next;
  }
  return text.size();
}

// The atom before `at` that is not of zero width; kOther, of no length, where there is none.
struct Before {
  Atom atom{.atom_class = AtomClass::kOther, .length = 0};
  size_t begin = 0;
};
Before VisibleBefore(std::string_view text, size_t at) {
  for (int ignorables = 0; at > 0; ++ignorables) {
    const Atom atom = AtomBefore(text, at);
    at -= atom.length;
    if (atom.atom_class != AtomClass::kIgnorable || ignorables == kMaxIgnorables) {
      return {atom, at};
    }
  }
  return {};
}

// The form since 2021, M123A4567: its end, 0 if it is none; nullopt: not certain yet.
std::optional<size_t> MixedPassport(std::string_view text, size_t at, bool final) {
  constexpr size_t kLetterPlace = 3;
  constexpr size_t kSize = 8;
  int ignorables = 0;
  for (size_t i = 0; i <= kSize;) {
    Atom atom{.atom_class = AtomClass::kIncomplete};
    if (at < text.size()) atom = AtomAt(text, at);
    if (atom.atom_class == AtomClass::kIncomplete && !final) return std::nullopt;
    if (atom.atom_class == AtomClass::kIgnorable && ++ignorables <= kMaxIgnorables) {
      at += atom.length;
      continue;
    }
    const bool is_digit = atom.atom_class == AtomClass::kDigit;
    const bool is_letter = atom.atom_class == AtomClass::kLetter;
    if (i == kSize) return is_digit || is_letter ? 0 : at;
    if (!(i == kLetterPlace ? is_letter : is_digit)) return 0;
    ignorables = 0;
    at += atom.length;
    ++i;
  }
  return 0;
}

class Scan {
 public:
  Scan(std::string_view text, bool final, std::vector<Finding>& findings)
      : text_(text), final_(final), findings_(findings) {}

  ScanEnd Run(size_t from) {
    size_t at = from;
    size_t hold = text_.size();
    while ((at = NextCandidate(text_, at, final_)) < text_.size()) {
      const Atom atom = AtomAt(text_, at);
      std::optional<size_t> next = at + atom.length;
      if (atom.atom_class == AtomClass::kIncomplete && !final_) {
        next.reset();
        hold = at;
      } else if (atom.atom_class == AtomClass::kDigit) {
        next = ScanNumber(at, atom.length, hold);
      } else if (atom.atom_class == AtomClass::kAt) {
        next = ScanAt(at, atom.length, hold);
      }
      if (!next) break;
      at = *next;
    }
    if (final_) return {text_.size(), text_.size()};
    // What is not a whole character yet may become the name of an address, as what stands before.
    const size_t whole = text_.size() - IncompleteTail();
    size_t certain = std::min({hold, whole, NameBegin(text_, whole)});
    // An `@` behind what waits has a name before it that may begin earlier.
    for (size_t i = at; i < whole; i += AtomAt(text_, i).length) {
      if (AtomAt(text_, i).atom_class == AtomClass::kAt) {
        certain = std::min(certain, NameBegin(text_, i));
      }
    }
    return {.scanned = std::min(at, whole), .certain = certain};
  }

 private:
  // Where to go on; nullopt: more text is needed, and `hold` tells from where this is held.
  std::optional<size_t> ScanNumber(size_t at, size_t length, size_t& hold) {
    const Before before = VisibleBefore(text_, at);
    const Before second = VisibleBefore(text_, before.begin);
    if (before.atom.atom_class == AtomClass::kDigit) return EndOfRun(at + length);
    NumberPlace place;
    place.before = before.atom.length > 0 ? before.atom.folded : 0;
    place.alone = !IsWordAtom(second.atom);
    place.after_dashed_digit = place.before == '-' && second.atom.atom_class == AtomClass::kDigit;
    const bool leads = before.atom.atom_class == AtomClass::kLetter || place.before == '+';
    const size_t begin = leads ? before.begin : at;

    const std::optional<Number> number = ReadNumber(text_, at, final_);
    if (!number) {
      hold = begin;
      return std::nullopt;
    }
    if (PassportLetter(place) && number->group_count > 0 && number->groups[0].size == 3) {
      const auto end = MixedPassport(text_, at, final_);
      if (!end) {
        hold = begin;
        return std::nullopt;
      }
      if (*end > 0) {
        findings_.push_back({PiiKind::kPassport, Confidence::kSure, before.begin, *end});
        return *end;
      }
    }
    const std::optional<size_t> account = AccountShape(*number, place);
    if (account || IsRegistrationShape(*number)) ReadContextBefore(text_, at, place);
    if (const auto match = ClassifyNumber(*number, place)) {
      findings_.push_back(
          {match->kind, match->confidence, match->takes_before ? before.begin : at, match->end});
      return match->end;
    }
    if (account) {
      const auto follows = AccountWordFollows(text_, *account, final_);
      if (!follows) {
        hold = begin;
        return std::nullopt;
      }
      if (*follows) {
        findings_.push_back({PiiKind::kAccount, Confidence::kLikely, at, *account});
        return *account;
      }
    }
    return number->run_end;
  }

  std::optional<size_t> ScanAt(size_t at, size_t length, size_t& hold) {
    const EmailMatch match = MatchEmail(text_, at, length, final_);
    if (match.verdict == EmailVerdict::kNeedsMore) {
      hold = NameBegin(text_, at);
      return std::nullopt;
    }
    if (match.verdict == EmailVerdict::kFound) findings_.push_back(match.finding);
    return at + length;
  }

  static bool PassportLetter(const NumberPlace& place) {
    constexpr std::u32string_view kLetters = U"MSRODmsrod";
    return place.alone && kLetters.find(place.before) != kLetters.npos;
  }

  size_t EndOfRun(size_t at) const {
    while (at < text_.size() && IsDigit(text_[at])) ++at;
    return at;
  }

  size_t IncompleteTail() const {
    for (size_t length = std::min<size_t>(6, text_.size()); length > 0; --length) {
      const size_t at = text_.size() - length;
      const auto byte = static_cast<unsigned char>(text_[at]);
      if (byte != '\\' && byte < 0xC0) continue;
      const Atom atom = AtomAt(text_, at);
      if (atom.atom_class == AtomClass::kIncomplete) return length;
    }
    return 0;
  }

  const std::string_view text_;
  const bool final_;
  std::vector<Finding>& findings_;
};

}  // namespace

ScanEnd ScanText(std::string_view text, size_t from, bool final, std::vector<Finding>& findings) {
  return Scan(text, final, findings).Run(from);
}

}  // namespace jikji::guard
