#include "govern/guard/context_words.h"

#include <algorithm>
#include <array>
#include <span>

#include "govern/guard/atom.h"

namespace jikji::guard {
namespace {

using Word = std::u32string_view;

// `국민` and `하나` are also banks, and among the most common words there are: only with 은행.
constexpr Word kAccountWords[] = {U"계좌",       U"은행",          U"뱅크", U"입금", U"송금",
                                  U"이체",       U"예금",          U"농협", U"수협", U"신협",
                                  U"우체국",     U"새마을금고",    U"신한", U"토스", U"bank",
                                  U"account no", U"account number"};
constexpr Word kBusinessWords[] = {U"사업자", U"등록번호", U"business reg", U"brn"};
constexpr Word kCorporateWords[] = {U"법인", U"corporate reg", U"corporation reg"};
constexpr Word kLicenceWords[] = {U"면허", U"driver"};

char32_t Lower(char32_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

bool HasAny(std::u32string_view text, std::span<const Word> words) {
  return std::ranges::any_of(words, [&](Word word) { return text.find(word) != text.npos; });
}

}  // namespace

void ReadContextBefore(std::string_view text, size_t at, NumberPlace& place) {
  std::array<char32_t, kContextCharacters> characters;
  size_t first = characters.size();
  const size_t floor = at - std::min(at, kContextBytes);
  while (at > floor && first > 0) {
    const Atom atom = AtomBefore(text, at);
    if (at - floor < atom.length) break;
    at -= atom.length;
    characters[--first] = Lower(atom.folded);
  }
  const std::u32string_view before(characters.data() + first, characters.size() - first);
  place.account_words = HasAny(before, kAccountWords);
  place.business_words = HasAny(before, kBusinessWords);
  place.corporate_words = HasAny(before, kCorporateWords);
  place.licence_words = HasAny(before, kLicenceWords);
}

std::optional<bool> AccountWordFollows(std::string_view text, size_t at, bool final) {
  std::array<char32_t, kContextAfter> characters;
  size_t count = 0;
  while (count < characters.size()) {
    Atom atom{.atom_class = AtomClass::kIncomplete};
    if (at < text.size()) atom = AtomAt(text, at);
    if (atom.atom_class == AtomClass::kIncomplete) {
      if (HasAny({characters.data(), count}, kAccountWords)) return true;
      if (!final) return std::nullopt;
      return false;
    }
    at += atom.length;
    characters[count++] = Lower(atom.folded);
  }
  return HasAny({characters.data(), count}, kAccountWords);
}

}  // namespace jikji::guard
