#include "govern/guard/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace jikji::guard {
namespace {

using ::testing::HasSubstr;
using enum PiiKind;

TEST(Policy, TheDefaultBlocksUniqueIdentifiers) {
  const auto policy = LoadPolicy("default");
  ASSERT_TRUE(policy.has_value());
  for (const PiiKind kind : {kResidentNumber, kForeignerNumber, kPassport, kDriverLicence}) {
    EXPECT_EQ(policy->prompt.Of(kind), Action::kBlock);
    EXPECT_EQ(policy->output.Of(kind), Action::kBlock);
  }
  EXPECT_EQ(policy->prompt.Of(kMobile), Action::kMask);
  EXPECT_EQ(policy->prompt.Of(kBusinessNumber), Action::kAllow);
  EXPECT_TRUE(policy->output.Alters());
}

TEST(Policy, OneWordIsForEveryKindAndSide) {
  for (const char* word : {"allow", "log", "mask", "block"}) {
    const auto policy = LoadPolicy(word);
    ASSERT_TRUE(policy.has_value());
    for (size_t i = 0; i < kPiiKinds; ++i) {
      EXPECT_EQ(ActionName(policy->prompt.actions[i]), word);
      EXPECT_EQ(ActionName(policy->output.actions[i]), word);
    }
    EXPECT_EQ(policy->output.Alters(), word == std::string("mask") || word == std::string("block"));
    EXPECT_EQ(policy->output.Idle(), word == std::string("allow"));
  }
}

TEST(Policy, NamedKindsOverrideAllWhichOverridesTheDefault) {
  const auto policy = LoadPolicy("prompt = {all = 'log', email = 'block'}\noutput.card = 'allow'");
  ASSERT_TRUE(policy.has_value()) << policy.error().ToString();
  EXPECT_EQ(policy->prompt.Of(kEmail), Action::kBlock);
  EXPECT_EQ(policy->prompt.Of(kResidentNumber), Action::kLog);
  EXPECT_EQ(policy->output.Of(kCard), Action::kAllow);
  EXPECT_EQ(policy->output.Of(kResidentNumber), Action::kBlock);
}

TEST(Policy, FromAFile) {
  const std::string path = ::testing::TempDir() + "guard_policy.toml";
  ASSERT_TRUE(WriteFileAtomic(path, "[prompt]\nmobile = \"block\"\n").has_value());
  const auto policy = LoadPolicy(path);
  ASSERT_TRUE(policy.has_value());
  EXPECT_EQ(policy->prompt.Of(kMobile), Action::kBlock);
  ASSERT_TRUE(WriteFileAtomic(path, "[prompt]\n\nmobil = \"block\"\n").has_value());
  const auto wrong = LoadPolicy(path);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().where, path + ":3");
}

TEST(Policy, ASlipOfThePenIsAnError) {
  for (const auto& [text, message] : {std::pair{"prompt.rrn = 'block'", "knows no kind `rrn`"},
                                      {"prompt.card = 'blok'", "must be \"allow\""},
                                      {"prompt.card = 3", "must be \"allow\""},
                                      {"prompt = 'block'", "tables [prompt] and [output]"},
                                      {"input.card = 'block'", "not `input`"},
                                      {"prompt.card = ", ""}}) {
    const auto policy = LoadPolicy(text);
    ASSERT_FALSE(policy.has_value()) << text;
    EXPECT_THAT(policy.error().message, HasSubstr(message));
    EXPECT_THAT(policy.error().where, HasSubstr("guard:1"));
  }
  const auto missing = LoadPolicy("no-such-policy.toml");
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().ToString(), HasSubstr("no-such-policy.toml"));
}

}  // namespace
}  // namespace jikji::guard
