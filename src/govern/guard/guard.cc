#include "govern/guard/guard.h"

#include <fmt/format.h>

#include <exception>

namespace jikji::guard {
namespace {

// Runs `work`; what it throws, memory running out above all, becomes an error.
template <class Work>
auto Contained(const Work& work) -> Result<decltype(work())> {
  try {
    return work();
  } catch (const std::exception& problem) {
    return Fail(ErrorCode::kInternal,
                fmt::format("the privacy guard failed, so nothing passes it: {}", problem.what()));
  }
}

class PrivacyOutput : public OutputGuard {
 public:
  explicit PrivacyOutput(const SidePolicy& policy) : filter_(policy) {}

  Result<std::string> Push(std::string_view piece) override {
    return Contained([&] { return filter_.Push(piece); });
  }
  Result<std::string> Finish() override {
    return Contained([&] { return filter_.Finish(); });
  }
  std::optional<PiiKind> blocked() const override { return filter_.blocked(); }
  PiiCounts counts() const override { return filter_.counts(); }

 private:
  Filter filter_;
};

class PrivacyGuard : public Guard {
 public:
  explicit PrivacyGuard(const Policy& policy) : policy_(policy) {}

  Result<PromptVerdict> CheckPrompt(std::string_view text) const override {
    return Contained([&] { return Check(text); });
  }
  Result<std::unique_ptr<OutputGuard>> StartOutput() const override {
    return Contained([&]() -> std::unique_ptr<OutputGuard> {
      return std::make_unique<PrivacyOutput>(policy_.output);
    });
  }
  bool AltersOutput() const override { return policy_.output.Alters(); }

 private:
  PromptVerdict Check(std::string_view text) const {
    PromptVerdict verdict;
    std::vector<Finding> masked;
    for (const Finding& finding : FindPii(text)) {
      const Action action = policy_.prompt.Of(finding.kind);
      if (action == Action::kAllow) continue;
      ++verdict.counts[static_cast<size_t>(finding.kind)];
      if (action == Action::kBlock && !verdict.blocked) verdict.blocked = finding.kind;
      if (action == Action::kMask) masked.push_back(finding);
    }
    if (verdict.blocked || masked.empty()) return verdict;
    verdict.masked.emplace();
    MaskFindings(text, 0, masked, *verdict.masked);
    return verdict;
  }

  Policy policy_;
};

}  // namespace

std::shared_ptr<const Guard> MakePrivacyGuard(const Policy& policy) {
  return std::make_shared<PrivacyGuard>(policy);
}

std::string DescribeCounts(const PiiCounts& counts) {
  std::string out;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", NameOf(static_cast<PiiKind>(i)).key,
                       counts[i]);
  }
  return out;
}

}  // namespace jikji::guard
