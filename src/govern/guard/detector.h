// Finds identifiers in a text that comes in pieces.
//
// Contract: the findings depend on the text alone, never on where it was cut, be it between the
// bytes of a character. Everything that a decision looks at is held until it is made; at most 32
// characters (of what a reader sees: zero-width ones are not counted, and an escape is one) and
// the character whose bytes are not complete. docs/design/privacy-guard.md tells how. Memory is
// bounded, whatever the text. Non-goals: names, addresses of houses, free-form secrets.
#ifndef JIKJI_GOVERN_GUARD_DETECTOR_H_
#define JIKJI_GOVERN_GUARD_DETECTOR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "govern/guard/pii.h"

namespace jikji::guard {

// A whole text.
std::vector<Finding> FindPii(std::string_view text);

class Detector {
 public:
  // Takes the next piece and appends to `findings` what is now certain; their offsets are those of
  // the whole text. Findings may overlap (digits within an address), and one that was appended
  // later may begin earlier, but never before what certain() was.
  void Push(std::string_view piece, std::vector<Finding>& findings);
  // The text is complete.
  void Finish(std::vector<Finding>& findings);

  // Every finding that begins before this offset has been reported.
  uint64_t certain() const { return base_ + certain_; }
  // Bytes [begin, end) of the text, which are at most those since the certain() before the last
  // call.
  std::string_view Text(uint64_t begin, uint64_t end) const {
    return std::string_view(text_).substr(begin - base_, end - begin);
  }

 private:
  void Scan(bool final, std::vector<Finding>& findings);

  std::string text_;    // since base_: what may be looked back at, and what is not decided
  uint64_t base_ = 0;   // offset of text_ in the whole
  size_t scanned_ = 0;  // in text_: where the scan goes on
  size_t certain_ = 0;  // in text_
};

}  // namespace jikji::guard

#endif  // JIKJI_GOVERN_GUARD_DETECTOR_H_
