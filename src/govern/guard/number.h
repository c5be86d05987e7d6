// A number as it stands in a text: groups of digits with separators between them.
#ifndef JIKJI_GOVERN_GUARD_NUMBER_H_
#define JIKJI_GOVERN_GUARD_NUMBER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "govern/guard/pii.h"

namespace jikji::guard {

// Characters of a number that are looked at, separators included: no identifier is longer. With the
// letter before a passport's digits these are the 32 that a stream may hold back.
inline constexpr size_t kMaxNumberAtoms = 31;

struct Number {
  struct Group {
    uint8_t first = 0;        // in `digits`
    uint8_t size = 0;         // digits
    uint8_t separators = 0;   // characters between it and digits that follow; 0 if none do
    bool dashed = false;      // a dash, bracket or dot is among them
    bool hyphenated = false;  // it is one dash
    size_t end = 0;           // where in the text its last digit ends
  };
  static constexpr size_t kMaxDigits = 20;
  static constexpr size_t kMaxGroups = 8;
  static constexpr size_t kMaxSeparators = 3;  // "900101 - 1234567"

  std::array<char, kMaxDigits> digits{};
  std::array<Group, kMaxGroups> groups{};
  size_t group_count = 0;
  size_t run_end = 0;  // where the first unbroken run of digits ends, as far as it was read

  // The digits of the first `count` groups.
  std::string_view Digits(size_t count) const {
    const Group& last = groups[count - 1];
    return {digits.data(), size_t{last.first} + last.size};
  }
};

// Reads the number whose first digit is at `at`. A group that may be longer than was read is not
// among the groups. nullopt: `text` ends before the number does, and more will come (not `final`).
std::optional<Number> ReadNumber(std::string_view text, size_t at, bool final);

// What a text says around a number.
struct NumberPlace {
  char32_t before = 0;              // the character before it, folded; 0 at the beginning
  bool alone = true;                // that character, in turn, follows no letter or digit
  bool after_dashed_digit = false;  // it is a dash that continues digits: "12-345..."
  bool account_words = false;       // what came before speaks of a bank account
  bool business_words = false;      // ... of a business registration
  bool corporate_words = false;     // ... of a corporation
  bool licence_words = false;       // ... of a driver's licence
};

struct NumberMatch {
  PiiKind kind;
  Confidence confidence;
  size_t end;         // in the text
  bool takes_before;  // the character before belongs to it: the letter of a passport, a plus
};

// The kind that the number's first groups make; of several, the first in the order of PiiKind
// but for accounts, which come last.
std::optional<NumberMatch> ClassifyNumber(const Number& number, const NumberPlace& place);

// Six digits and seven, as residents and corporations have.
bool IsRegistrationShape(const Number& number);

// Where the first groups make what would be an account number if a bank were named: its end.
std::optional<size_t> AccountShape(const Number& number, const NumberPlace& place);

}  // namespace jikji::guard

#endif  // JIKJI_GOVERN_GUARD_NUMBER_H_
