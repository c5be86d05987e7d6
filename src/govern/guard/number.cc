#include "govern/guard/number.h"

#include "govern/guard/atom.h"

namespace jikji::guard {

std::optional<Number> ReadNumber(std::string_view text, size_t at, bool final) {
  Number number;
  Number::Group group;
  size_t digits = 0;
  size_t atoms = 0;
  size_t separators = 0;
  bool dashed = false;
  bool hyphen = false;
  int ignorables = 0;
  const auto close = [&] {
    if (number.group_count == 0) number.run_end = group.end;
    number.groups[number.group_count++] = group;
  };
  while (true) {
    Atom atom{.atom_class = AtomClass::kIncomplete};
    if (at < text.size()) atom = AtomAt(text, at);
    if (atom.atom_class == AtomClass::kIncomplete && !final) return std::nullopt;
    if (atom.atom_class == AtomClass::kIgnorable && ++ignorables <= kMaxIgnorables) {
      at += atom.length;
      continue;
    }
    const bool is_digit = atom.atom_class == AtomClass::kDigit;
    const bool is_separator = atom.atom_class == AtomClass::kDash ||
                              atom.atom_class == AtomClass::kDot ||
                              atom.atom_class == AtomClass::kSpace;
    // The end of the number closes its last group; the end of what is read does not.
    if (!is_digit && separators == 0) close();
    if (!is_digit && !is_separator) break;
    if (is_separator &&
        (separators == Number::kMaxSeparators || number.group_count == Number::kMaxGroups)) {
      break;
    }
    if (is_digit && separators > 0) {
      number.groups[number.group_count - 1].separators = static_cast<uint8_t>(separators);
      number.groups[number.group_count - 1].dashed = dashed;
      number.groups[number.group_count - 1].hyphenated = hyphen && separators == 1;
      group = {.first = static_cast<uint8_t>(digits)};
      separators = 0;
      dashed = false;
      hyphen = false;
    }
    if (atoms == kMaxNumberAtoms || (is_digit && digits == Number::kMaxDigits)) {
      if (number.group_count == 0) number.run_end = at;
      break;
    }
    ++atoms;
    ignorables = 0;
    at += atom.length;
    if (is_separator) {
      ++separators;
      dashed |= atom.atom_class != AtomClass::kSpace;
      hyphen |= atom.folded == '-';
      continue;
    }
    number.digits[digits++] = static_cast<char>(atom.folded);
    ++group.size;
    group.end = at;
  }
  return number;
}

}  // namespace jikji::guard
