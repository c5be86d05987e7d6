#include "govern/guard/guard.h"

#include <gtest/gtest.h>

namespace jikji::guard {
namespace {

Policy Parsed(std::string_view toml) {
  auto policy = ParsePolicy(toml, "test");
  EXPECT_TRUE(policy.has_value());
  return policy.value_or(DefaultPolicy());
}

TEST(Guard, ChecksPromptsWhole) {
  const auto guard = MakePrivacyGuard(Parsed("prompt = {all = 'mask', passport = 'block'}"));
  auto verdict = guard->CheckPrompt("여권 M12345678, 010-1234-5678");
  ASSERT_TRUE(verdict.has_value());
  EXPECT_EQ(verdict->blocked, PiiKind::kPassport);
  EXPECT_FALSE(verdict->masked.has_value());
  EXPECT_EQ(DescribeCounts(verdict->counts), "passport: 1, mobile: 1");
  verdict = guard->CheckPrompt("010-1234-5678");
  ASSERT_TRUE(verdict.has_value());
  EXPECT_FALSE(verdict->blocked.has_value());
  EXPECT_EQ(verdict->masked, "010-****-****");
  verdict = guard->CheckPrompt("안녕");
  ASSERT_TRUE(verdict.has_value());
  EXPECT_FALSE(verdict->masked.has_value());
  EXPECT_EQ(DescribeCounts(verdict->counts), "");
}

TEST(Guard, FiltersAnswers) {
  const auto guard = MakePrivacyGuard(Parsed("output = {all = 'mask', card = 'block'}"));
  EXPECT_TRUE(guard->AltersOutput());
  auto output = guard->StartOutput();
  ASSERT_TRUE(output.has_value());
  std::string text;
  for (const char* piece : {"전화 010-12", "34-5678, 카드 4111-1111-11", "11-1111.", " 끝"}) {
    auto passed = (*output)->Push(piece);
    ASSERT_TRUE(passed.has_value());
    text += *passed;
  }
  text += *(*output)->Finish();
  EXPECT_EQ(text, "전화 010-****-****, 카드 ");
  EXPECT_EQ((*output)->blocked(), PiiKind::kCard);
  EXPECT_FALSE(MakePrivacyGuard(Parsed("output.all = 'log'"))->AltersOutput());
}

TEST(Guard, NamesAreKnownByTheirKeys) {
  for (size_t i = 0; i < kPiiKinds; ++i) {
    const auto kind = static_cast<PiiKind>(i);
    EXPECT_EQ(FindPiiKind(NameOf(kind).key), kind);
    EXPECT_FALSE(NameOf(kind).korean.empty());
  }
  EXPECT_FALSE(FindPiiKind("all").has_value());
}

}  // namespace
}  // namespace jikji::guard
