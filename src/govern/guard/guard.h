// The guard as the serving path sees it: prompts are checked whole before admission, answers are
// filtered as they come.
//
// Contract: an error means that the guard could not do its work; the caller must then let nothing
// pass (promise 3). The privacy guard turns whatever goes wrong within it into such an error.
#ifndef JIKJI_GOVERN_GUARD_GUARD_H_
#define JIKJI_GOVERN_GUARD_GUARD_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "govern/guard/filter.h"
#include "govern/guard/policy.h"

namespace jikji::guard {

struct PromptVerdict {
  std::optional<PiiKind> blocked;
  std::optional<std::string> masked;  // the text to use instead, where something was hidden
  PiiCounts counts{};
};

// One answer on its way out.
class OutputGuard {
 public:
  virtual ~OutputGuard() = default;
  // What of the text may go on. Once blocked() there is no more.
  virtual Result<std::string> Push(std::string_view piece) = 0;
  virtual Result<std::string> Finish() = 0;
  virtual std::optional<PiiKind> blocked() const = 0;
  virtual PiiCounts counts() const = 0;
};

// Thread-safe.
class Guard {
 public:
  virtual ~Guard() = default;
  virtual Result<PromptVerdict> CheckPrompt(std::string_view text) const = 0;
  virtual Result<std::unique_ptr<OutputGuard>> StartOutput() const = 0;
  // May an answer differ from what the model said? What else tells of its tokens must then be
  // refused.
  virtual bool AltersOutput() const = 0;
};

std::shared_ptr<const Guard> MakePrivacyGuard(const Policy& policy);

// "resident_number: 1, email: 2"; empty where nothing was found. Names kinds, never text.
std::string DescribeCounts(const PiiCounts& counts);

}  // namespace jikji::guard

#endif  // JIKJI_GOVERN_GUARD_GUARD_H_
