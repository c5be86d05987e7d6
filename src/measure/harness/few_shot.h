// Solved examples before an item, as lm-evaluation-harness writes them: context, a space, the right
// choice, an empty line.
//
// Contract: which examples stand before an item depends on the seed, the pool and the item's number
// alone, so that a limit on items changes none. The generator is ours: the same seed draws other
// examples than the harness does.
#ifndef JIKJI_MEASURE_HARNESS_FEW_SHOT_H_
#define JIKJI_MEASURE_HARNESS_FEW_SHOT_H_

#include <cstdint>
#include <span>
#include <string>

#include "measure/harness/items.h"

namespace jikji::measure {

// Between a context and what goes on from it.
inline constexpr const char* kTargetDelimiter = " ";

// `shots` different examples of `pool`, none of them equal to `item`; `pool` has more than `shots`.
// Fewer where the pool holds the item itself too often.
std::string FewShotText(std::span<const ChoiceItem> pool, const ChoiceItem& item, size_t number,
                        size_t shots, uint64_t seed);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_HARNESS_FEW_SHOT_H_
