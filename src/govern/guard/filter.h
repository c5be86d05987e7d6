// A text through a policy: what may go on, with digits hidden where the policy masks.
//
// Contract: what Push and Finish return, added up, and what was blocked, depend on the text alone,
// not on where it was cut. Whole characters in, whole characters out (promise 5). After a block
// nothing more is returned.
#ifndef JIKJI_GOVERN_GUARD_FILTER_H_
#define JIKJI_GOVERN_GUARD_FILTER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "govern/guard/detector.h"
#include "govern/guard/policy.h"

namespace jikji::guard {

// How often each kind was found.
using PiiCounts = std::array<uint32_t, kPiiKinds>;

class Filter {
 public:
  explicit Filter(const SidePolicy& policy) : policy_(policy) {}

  std::string Push(std::string_view piece);
  // What was held back.
  std::string Finish();

  // The kind that ended the text.
  const std::optional<PiiKind>& blocked() const { return blocked_; }
  const PiiCounts& counts() const { return counts_; }

 private:
  std::string Release();

  SidePolicy policy_;
  Detector detector_;
  uint64_t released_ = 0;
  std::vector<Finding> pending_;  // not wholly released, not merely allowed or logged
  std::vector<Finding> news_;
  std::optional<PiiKind> blocked_;
  PiiCounts counts_{};
};

// `text` with the findings' digits and letters replaced by `*`, but for those that custom leaves
// (the birth date of a resident number, the last four digits of a card). `begin` is the offset of
// `text` in the text that the findings are of; a finding may lie partly outside.
void MaskFindings(std::string_view text, uint64_t begin, const std::vector<Finding>& findings,
                  std::string& out);

}  // namespace jikji::guard

#endif  // JIKJI_GOVERN_GUARD_FILTER_H_
