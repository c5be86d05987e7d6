// Unicode normalisation forms (UAX #15).
//
// Input is UTF-8; ill-formed sequences become U+FFFD. A macOS file name or a pasted text may bring
// Hangul as conjoining jamo (NFD), which costs a model several times the tokens and reads as other
// words: api/ composes what comes in at the door. Time is n log n at worst, whatever the text: a
// stranger may send one of combining marks only.
#ifndef JIKJI_TEXT_NORMALIZE_H_
#define JIKJI_TEXT_NORMALIZE_H_

#include <string>
#include <string_view>

namespace jikji {

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

std::string Normalize(std::string_view text, NormalForm form);

// True where the text is surely in NFC already (it may be where this says false): one quick pass.
bool IsSurelyNfc(std::string_view text);

std::string NormalizeNfc(std::string_view text);

}  // namespace jikji

#endif  // JIKJI_TEXT_NORMALIZE_H_
