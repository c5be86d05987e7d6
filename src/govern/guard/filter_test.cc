#include "govern/guard/filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/test_rounds.h"
#include "base/utf8.h"
#include "govern/guard/test_texts.h"

namespace jikji::guard {
namespace {

struct Filtered {
  std::string text;
  std::optional<PiiKind> blocked;
  PiiCounts counts{};
  bool operator==(const Filtered&) const = default;
};

Filtered Filtering(const SidePolicy& policy, std::string_view text,
                   const std::vector<size_t>& cuts) {
  Filter filter(policy);
  Filtered out;
  size_t at = 0;
  const auto push = [&](size_t end) {
    const std::string piece = filter.Push(text.substr(at, end - at));
    // Whole characters in, whole characters out.
    EXPECT_TRUE(IsValidUtf8(piece) || !IsValidUtf8(text.substr(at, end - at)));
    out.text += piece;
    at = end;
  };
  for (const size_t cut : cuts) push(cut);
  push(text.size());
  out.text += filter.Finish();
  out.blocked = filter.blocked();
  // What follows a block is not looked at, and how much of it came with it is up to the pieces.
  if (!out.blocked) out.counts = filter.counts();
  return out;
}

SidePolicy All(Action action) {
  SidePolicy policy;
  policy.actions.fill(action);
  return policy;
}

TEST(Filter, MasksWhatCustomHides) {
  const SidePolicy mask = All(Action::kMask);
  const auto masked = [&](std::string_view text) { return Filtering(mask, text, {}).text; };
  EXPECT_EQ(masked("주민번호는900101-1234567입니다"), "주민번호는900101-*******입니다");
  EXPECT_EQ(masked("850101-5123456"), "850101-*******");
  EXPECT_EQ(masked("010-1234-5678, +82 10 1234 5678"), "010-****-****, +82 1* **** ****");
  EXPECT_EQ(masked("4111-1111-1111-1111"), "****-****-****-1111");
  EXPECT_EQ(masked("신한 110-123-456789"), "신한 ***-***-***789");
  EXPECT_EQ(masked("M12345678"), "M********");
  EXPECT_EQ(masked("11-12-345678-90"), "11-**-******-**");
  EXPECT_EQ(masked("124-81-00998"), "124-**-*****");
  EXPECT_EQ(masked("hong.gildong@example.com"), "h***.*******@example.com");
  EXPECT_EQ(masked("９００１０１－１２３４５６７"), "９００１０１－*******");
  EXPECT_EQ(masked("900101\\u002D\\u0031234567"), "900101\\u002D*******");
  EXPECT_EQ(masked("안녕"), "안녕");
}

TEST(Filter, BlocksBeforeTheFirstCharacter) {
  const Filtered out = Filtering(All(Action::kBlock), "앞 900101-1234567 뒤", {});
  EXPECT_EQ(out.text, "앞 ");
  EXPECT_EQ(out.blocked, PiiKind::kResidentNumber);
}

TEST(Filter, LogsAndAllowsWithoutAChange) {
  const std::string text = "010-1234-5678 a@b.co";
  Filtered out = Filtering(All(Action::kLog), text, {});
  EXPECT_EQ(out.text, text);
  EXPECT_EQ(out.counts[static_cast<size_t>(PiiKind::kMobile)], 1u);
  EXPECT_EQ(out.counts[static_cast<size_t>(PiiKind::kEmail)], 1u);
  out = Filtering(All(Action::kAllow), text, {});
  EXPECT_EQ(out.text, text);
  EXPECT_EQ(out.counts, PiiCounts{});
}

TEST(Filter, OfFindingsThatOverlapTheStricterActionCounts) {
  SidePolicy policy = All(Action::kLog);
  policy.actions[static_cast<size_t>(PiiKind::kEmail)] = Action::kBlock;
  EXPECT_EQ(Filtering(policy, "to 01012345678@example.com", {}).blocked, PiiKind::kEmail);
  policy.actions[static_cast<size_t>(PiiKind::kEmail)] = Action::kMask;
  policy.actions[static_cast<size_t>(PiiKind::kMobile)] = Action::kBlock;
  const Filtered out = Filtering(policy, "to x01012345678@example.com", {});
  EXPECT_EQ(out.blocked, PiiKind::kMobile);
  EXPECT_EQ(out.text, "to ");
}

TEST(Filter, TheSameWhereverATextIsCut) {
  std::mt19937 random(3);
  for (const Spelling& spelling : Spellings()) {
    for (int round = 0; round < TestRounds(2000); ++round) {
      std::string text;
      for (size_t i = 0; i < 1 + random() % 4; ++i) {
        text += Spell(TestTexts()[random() % TestTexts().size()].text, spelling);
        if (random() % 2 == 0) text += " ";
      }
      SidePolicy policy;
      for (Action& action : policy.actions) {
        action = random() % 8 == 0 ? Action::kBlock : static_cast<Action>(random() % 3);
      }
      std::vector<size_t> cuts;
      for (size_t at = random() % 5; at < text.size(); at += 1 + random() % 9) cuts.push_back(at);
      ASSERT_EQ(Filtering(policy, text, cuts), Filtering(policy, text, {})) << text;
    }
  }
}

}  // namespace
}  // namespace jikji::guard
