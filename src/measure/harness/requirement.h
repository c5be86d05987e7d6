// What a model must reach before it is published: "kobest>=0.45,bits_per_byte<=1.9".
//
// A name is a score's (score_table.h); >= or <= stands between it and a number, or the word
// `against`, which is the score of the model it is compared with. Contract: a score that was not
// measured is a requirement not met, never one passed over. Non-goals: arithmetic.
#ifndef JIKJI_MEASURE_HARNESS_REQUIREMENT_H_
#define JIKJI_MEASURE_HARNESS_REQUIREMENT_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "measure/harness/score_table.h"

namespace jikji::measure {

struct Requirement {
  std::string name;
  bool at_least = true;         // or at most
  std::optional<double> bound;  // none: the other model's score
};

// Parted by commas; spaces around the parts are ignored. kInvalidArgument names the part.
Result<std::vector<Requirement>> ParseRequirements(std::string_view text);

// A requirement, with what was measured.
struct Verdict {
  Requirement requirement;
  std::optional<double> value;  // none: not measured
  std::optional<double> bound;  // none: the other model was not measured
  bool met = false;
};

// `theirs` is empty where there is no other model.
std::vector<Verdict> Judge(std::span<const Requirement> requirements, std::span<const Score> ours,
                           std::span<const Score> theirs);

// "kobest>=0.45"
std::string ToString(const Requirement& requirement);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_HARNESS_REQUIREMENT_H_
