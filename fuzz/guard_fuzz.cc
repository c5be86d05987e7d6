// Any bytes through the privacy guard: the same answer in one piece and in many, and no character
// of a text that is UTF-8 split on the way.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "govern/guard/filter.h"

namespace {

struct Filtered {
  std::string text;
  bool blocked = false;
  bool operator==(const Filtered&) const = default;
};

Filtered Run(const jikji::guard::SidePolicy& policy, std::string_view text, size_t step) {
  jikji::guard::Filter filter(policy);
  Filtered out;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, step);
    text.remove_prefix(piece.size());
    out.text += filter.Push(piece);
  }
  out.text += filter.Finish();
  out.blocked = filter.blocked().has_value();
  return out;
}

}  // namespace

// The first byte chooses the pieces, the next ten the actions.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using jikji::guard::Action;
  jikji::guard::SidePolicy policy;
  if (size <= policy.actions.size()) return 0;
  const size_t step = 1 + data[0] % 32;
  for (size_t i = 0; i < policy.actions.size(); ++i) {
    policy.actions[i] = static_cast<Action>(data[i + 1] % 4);
  }
  const std::string_view text(reinterpret_cast<const char*>(data) + policy.actions.size() + 1,
                              size - policy.actions.size() - 1);
  const Filtered whole = Run(policy, text, text.size() + 1);
  if (Run(policy, text, step) != whole) std::abort();
  if (!whole.blocked && whole.text.size() > text.size()) std::abort();
  if (jikji::IsValidUtf8(text) && !jikji::IsValidUtf8(whole.text)) std::abort();
  return 0;
}
