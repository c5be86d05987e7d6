// Words that tell what a number is: an account number looks like any other until a bank is named.
#ifndef JIKJI_GOVERN_GUARD_CONTEXT_WORDS_H_
#define JIKJI_GOVERN_GUARD_CONTEXT_WORDS_H_

#include <cstddef>
#include <optional>
#include <string_view>

#include "govern/guard/number.h"

namespace jikji::guard {

// How far before a number words are looked for, in characters and in bytes: about a clause.
inline constexpr size_t kContextCharacters = 40;
inline constexpr size_t kContextBytes = 256;

// How far behind an account number a bank's name may stand: "110-123-456789 (신한)". Such a number
// has at most 17 characters, so this stays within what a stream may hold back.
inline constexpr size_t kContextAfter = 12;

// Fills in the `..._words` of `place` from the text before `at`.
void ReadContextBefore(std::string_view text, size_t at, NumberPlace& place);

// Does an account word stand in the kContextAfter characters from `at`? nullopt: `text` ends
// before that is certain, and more will come (not `final`).
std::optional<bool> AccountWordFollows(std::string_view text, size_t at, bool final);

}  // namespace jikji::guard

#endif  // JIKJI_GOVERN_GUARD_CONTEXT_WORDS_H_
