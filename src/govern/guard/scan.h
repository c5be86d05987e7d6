// The scan itself, over a stretch of text that holds what may be looked back at.
#ifndef JIKJI_GOVERN_GUARD_SCAN_H_
#define JIKJI_GOVERN_GUARD_SCAN_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "govern/guard/pii.h"

namespace jikji::guard {

// Bytes before a place that a decision about it may look back at: the words around a number, the
// name of an address, and some characters of zero width.
inline constexpr size_t kLookBack = 512;

struct ScanEnd {
  size_t scanned = 0;  // where the next scan goes on
  size_t certain = 0;  // no later finding begins before this
};

// Scans `text` from `from`, a border of atoms before which everything was scanned. Not `final`:
// more text will come, and the scan stops where a decision needs it. Findings have offsets in
// `text`.
ScanEnd ScanText(std::string_view text, size_t from, bool final, std::vector<Finding>& findings);

}  // namespace jikji::guard

#endif  // JIKJI_GOVERN_GUARD_SCAN_H_
