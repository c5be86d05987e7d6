#include "govern/guard/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "base/toml.h"

namespace jikji::guard {
namespace {

constexpr std::array<std::string_view, 4> kActionNames = {"allow", "log", "mask", "block"};

// A policy is written by hand: more than this is a mistake.
constexpr uint64_t kMaxPolicyBytes = 1 << 20;

std::optional<Action> FindAction(std::string_view name) {
  const auto found = std::ranges::find(kActionNames, name);
  if (found == kActionNames.end()) return std::nullopt;
  return static_cast<Action>(found - kActionNames.begin());
}

std::string Where(std::string_view document, const toml::node& node) {
  return fmt::format("{}:{}", document, node.source().begin.line);
}

Result<Action> ReadAction(const toml::node& node, std::string_view key, std::string_view where) {
  const auto* text = node.as_string();
  const auto action = text == nullptr ? std::nullopt : FindAction(text->get());
  if (!action) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("`{}` must be \"allow\", \"log\", \"mask\" or \"block\"", key),
                Where(where, node));
  }
  return *action;
}

Result<> ReadSide(const toml::table& table, std::string_view where, SidePolicy& side) {
  if (const toml::node* all = table.get("all")) {
    JIKJI_ASSIGN(const Action action, ReadAction(*all, "all", where));
    side.actions.fill(action);
  }
  for (const auto& [key, node] : table) {
    if (key.str() == "all") continue;
    const auto kind = FindPiiKind(key.str());
    if (!kind) {
      std::string kinds;
      for (size_t i = 0; i < kPiiKinds; ++i) {
        kinds += fmt::format("{}{}", i == 0 ? "" : ", ", NameOf(static_cast<PiiKind>(i)).key);
      }
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("the guard knows no kind `{}`; it knows {}", key.str(), kinds),
                  Where(where, node));
    }
    JIKJI_ASSIGN(side.actions[static_cast<size_t>(*kind)], ReadAction(node, key.str(), where));
  }
  return {};
}

}  // namespace

std::string_view ActionName(Action action) { return kActionNames[static_cast<size_t>(action)]; }

bool SidePolicy::Alters() const {
  return std::ranges::any_of(actions, [](Action action) { return action >= Action::kMask; });
}

bool SidePolicy::Idle() const {
  return std::ranges::all_of(actions, [](Action action) { return action == Action::kAllow; });
}

Policy DefaultPolicy() {
  SidePolicy side;
  side.actions.fill(Action::kMask);
  for (const PiiKind kind : {PiiKind::kResidentNumber, PiiKind::kForeignerNumber,
                             PiiKind::kPassport, PiiKind::kDriverLicence}) {
    side.actions[static_cast<size_t>(kind)] = Action::kBlock;
  }
  for (const PiiKind kind : {PiiKind::kBusinessNumber, PiiKind::kCorporateNumber}) {
    side.actions[static_cast<size_t>(kind)] = Action::kAllow;
  }
  return {side, side};
}

Result<Policy> ParsePolicy(std::string_view text, std::string_view where) {
  JIKJI_ASSIGN(const toml::table root, ParseToml(text, where));
  Policy policy = DefaultPolicy();
  for (const auto& [key, node] : root) {
    SidePolicy* side = key.str() == "prompt"   ? &policy.prompt
                       : key.str() == "output" ? &policy.output
                                               : nullptr;
    const auto* table = node.as_table();
    if (side == nullptr || table == nullptr) {
      return Fail(
          ErrorCode::kInvalidArgument,
          fmt::format("a guard policy has the tables [prompt] and [output], not `{}`", key.str()),
          Where(where, node));
    }
    JIKJI_RETURN_IF_ERROR(ReadSide(*table, where, *side));
  }
  return policy;
}

Result<Policy> LoadPolicy(const std::string& setting) {
  if (setting == "default") return DefaultPolicy();
  if (const auto action = FindAction(setting)) {
    Policy policy;
    policy.prompt.actions.fill(*action);
    policy.output.actions.fill(*action);
    return policy;
  }
  if (setting.find('=') != std::string::npos) return ParsePolicy(setting, "guard");
  JIKJI_ASSIGN(const std::string text, ReadFile(setting, kMaxPolicyBytes));
  return ParsePolicy(text, setting);
}

}  // namespace jikji::guard
