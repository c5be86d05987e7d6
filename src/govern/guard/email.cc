#include "govern/guard/email.h"

#include <algorithm>

#include "govern/guard/atom.h"

namespace jikji::guard {

size_t NameBegin(std::string_view text, size_t end) {
  const size_t floor = end - std::min(end, kMaxNameBytes);
  size_t begin = end;
  size_t at = end;
  int ignorables = 0;
  for (size_t atoms = 0; at > floor && atoms < kMaxNameAtoms;) {
    const Atom atom = AtomBefore(text, at);
    if (at - floor < atom.length) break;
    if (atom.atom_class == AtomClass::kIgnorable && ++ignorables <= kMaxIgnorables) {
      at -= atom.length;
      continue;
    }
    if (!IsNameAtom(atom)) break;
    at -= atom.length;
    begin = at;
    ignorables = 0;
    ++atoms;
  }
  return begin;
}

EmailMatch MatchEmail(std::string_view text, size_t at, size_t length, bool final) {
  EmailMatch match;
  const size_t begin = NameBegin(text, at);
  bool named = false;
  for (size_t i = begin; i < at && !named;) {
    const Atom atom = AtomAt(text, i);
    named = IsWordAtom(atom);
    i += atom.length;
  }
  if (!named) return match;

  size_t end = at + length;
  bool begins_with_letter = false;
  bool dotted = false;
  size_t letters = 0;  // since the last dot
  int ignorables = 0;
  for (size_t atoms = 0; atoms < kMaxDomainAtoms;) {
    Atom atom{.atom_class = AtomClass::kIncomplete};
    if (end < text.size()) atom = AtomAt(text, end);
    if (atom.atom_class == AtomClass::kIncomplete && !final) {
      match.verdict = EmailVerdict::kNeedsMore;
      return match;
    }
    if (atom.atom_class == AtomClass::kIgnorable && ++ignorables <= kMaxIgnorables) {
      end += atom.length;
      continue;
    }
    const bool is_word = IsWordAtom(atom);
    if (!is_word && (atoms == 0 || (atom.folded != '.' && atom.folded != '-'))) return match;
    if (atoms == 0) begins_with_letter = atom.atom_class == AtomClass::kLetter;
    ++atoms;
    ignorables = 0;
    end += atom.length;
    if (atom.folded == '.') dotted = true;
    letters = atom.atom_class == AtomClass::kLetter ? letters + 1 : 0;
    if (dotted && letters == 2) break;
  }
  if (!(dotted && letters == 2) && !(begins_with_letter && !dotted)) return match;
  match.verdict = EmailVerdict::kFound;
  match.finding = {PiiKind::kEmail, Confidence::kSure, begin, end};
  return match;
}

}  // namespace jikji::guard
