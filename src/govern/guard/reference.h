// For tests: the guard's rules once more, slow and plain: the whole text folded to one character
// each, and regular expressions tried at every place.
#ifndef JIKJI_GOVERN_GUARD_REFERENCE_H_
#define JIKJI_GOVERN_GUARD_REFERENCE_H_

#include <string_view>
#include <vector>

#include "govern/guard/pii.h"

namespace jikji::guard {

// The findings of FindPii but for their confidence, by where they begin.
std::vector<Finding> FindPiiSlowly(std::string_view text);

}  // namespace jikji::guard

#endif  // JIKJI_GOVERN_GUARD_REFERENCE_H_
