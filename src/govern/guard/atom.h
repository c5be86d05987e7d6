// Text as the guard reads it: characters folded to what a person sees in them.
//
// A full-width, mathematical or JSON-escaped digit is a digit; every dash is a dash; every space a
// space. Atoms synchronise themselves: where one ends can be told from either side, so a text can
// be read forward or backward from any border of atoms, with the same result. That is what makes
// the guard's verdict independent of where a stream is cut.
//
// Non-goals: numbers written out in words (공일공), base64, HTML entities, homoglyph letters.
#ifndef JIKJI_GOVERN_GUARD_ATOM_H_
#define JIKJI_GOVERN_GUARD_ATOM_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace jikji::guard {

enum class AtomClass : uint8_t {
  kDigit,
  kLetter,      // A–Z, a–z
  kDash,        // hyphens, dashes, middle dots, brackets: what stands between groups
  kDot,         // likewise, and within names and domains
  kSpace,       // spaces and line breaks
  kAt,          // @
  kNameMark,    // _ % +
  kIgnorable,   // zero width
  kOther,       // Hangul, all other characters, bytes that are no UTF-8
  kIncomplete,  // the text ends within what may become one of the above
};

struct Atom {
  AtomClass atom_class = AtomClass::kOther;
  uint8_t length = 1;    // bytes; of kIncomplete: those that are there
  char32_t folded = 0;   // '0' to '9', 'A', '@', '-', ' ', ...; the character itself for kOther
  bool escaped = false;  // spelt \uXXXX
};

// The atom at `at`, which is a border of atoms and before the end of the text.
Atom AtomAt(std::string_view text, size_t at);

// The atom that ends at `end`, which is a border of atoms and past the beginning.
Atom AtomBefore(std::string_view text, size_t end);

inline bool IsDigit(char byte) { return byte >= '0' && byte <= '9'; }

inline bool IsWordAtom(const Atom& atom) {
  return atom.atom_class == AtomClass::kDigit || atom.atom_class == AtomClass::kLetter;
}

// What may stand in the local part of an address.
inline bool IsNameAtom(const Atom& atom) {
  return IsWordAtom(atom) || atom.atom_class == AtomClass::kDot ||
         atom.atom_class == AtomClass::kNameMark || atom.folded == '-';
}

// Between two characters of a number or an address, at most this many of zero width are read over;
// more are a break.
inline constexpr int kMaxIgnorables = 4;

}  // namespace jikji::guard

#endif  // JIKJI_GOVERN_GUARD_ATOM_H_
