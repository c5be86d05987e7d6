// E-mail addresses, found from their `@`.
//
// Of the name before it at most kMaxNameAtoms characters count, and of the domain behind it
// kMaxDomainAtoms are read: with the `@` that is what a stream may hold back. A domain that shows
// no dot within that, but begins like one, is taken for one: a miss would let an address pass.
#ifndef JIKJI_GOVERN_GUARD_EMAIL_H_
#define JIKJI_GOVERN_GUARD_EMAIL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "govern/guard/pii.h"

namespace jikji::guard {

inline constexpr size_t kMaxNameAtoms = 20;
inline constexpr size_t kMaxDomainAtoms = 11;
// Bytes that those names may take: \u escapes are six each.
inline constexpr size_t kMaxNameBytes = 256;

// Where the characters that may be the name of an address that ends at `end` begin.
size_t NameBegin(std::string_view text, size_t end);

enum class EmailVerdict : uint8_t { kNone, kFound, kNeedsMore };

struct EmailMatch {
  EmailVerdict verdict = EmailVerdict::kNone;
  Finding finding;  // of kFound: name, `@`, and the domain as far as it was read
};

// `at` is the place of an atom kAt, `length` long. kNeedsMore only if not `final`.
EmailMatch MatchEmail(std::string_view text, size_t at, size_t length, bool final);

}  // namespace jikji::guard

#endif  // JIKJI_GOVERN_GUARD_EMAIL_H_
