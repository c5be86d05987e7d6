// What the guard does about each kind: a policy, read from TOML.
//
//   [prompt]                    what users send
//   all = "mask"                every kind not named below
//   resident_number = "block"
//   [output]                    what the model says
//   card = "mask"
//
// Actions: "allow", "log" (tell the log, pass the text), "mask" (pass the text with the digits
// hidden), "block". A kind that is not named, where there is no `all`, has the action of
// DefaultPolicy. Unknown keys are errors: a policy with a slip of the pen must not start.
#ifndef JIKJI_GOVERN_GUARD_POLICY_H_
#define JIKJI_GOVERN_GUARD_POLICY_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "govern/guard/pii.h"

namespace jikji::guard {

enum class Action : uint8_t { kAllow, kLog, kMask, kBlock };  // the stricter, the greater
std::string_view ActionName(Action action);

struct SidePolicy {
  std::array<Action, kPiiKinds> actions{};

  Action Of(PiiKind kind) const { return actions[static_cast<size_t>(kind)]; }
  // Can text be changed or withheld?
  bool Alters() const;
  // Is every kind allowed?
  bool Idle() const;
};

struct Policy {
  SidePolicy prompt;
  SidePolicy output;
};

// Numbers that the Personal Information Protection Act names as unique identifiers (art. 24) are
// blocked, other personal ones masked; numbers of companies, which are public, are allowed.
Policy DefaultPolicy();

// `where` names the text in errors.
Result<Policy> ParsePolicy(std::string_view toml, std::string_view where);

// What --guard takes: `default`; an action for every kind (`block`, `mask`, `log`); TOML, which has
// an `=`; or the path of a TOML file.
Result<Policy> LoadPolicy(const std::string& setting);

}  // namespace jikji::guard

#endif  // JIKJI_GOVERN_GUARD_POLICY_H_
