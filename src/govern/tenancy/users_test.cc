// People in the store: who may log in, and what a session is.
#include <gtest/gtest.h>

#include "govern/testing/site.h"

namespace jikji {
namespace {

class UsersTest : public Site {
 protected:
  int64_t AddUser(const std::string& email, Role role = Role::kMember) {
    NewKey wanted;
    wanted.name = email;
    wanted.role = role;
    (LevelOf(role) == Level::kProject ? wanted.project : wanted.organisation) =
        LevelOf(role) == Level::kProject ? project_ : organisation_;
    const auto key = admin_->AddUser(wanted);
    EXPECT_TRUE(key.has_value()) << key.error().ToString();
    return key.value_or(0);
  }
  Result<std::string> LogIn(const std::string& subject, const std::string& email,
                            bool verified = true, const std::string& issuer = "https://id") {
    return admin_->LogIn(
        {.issuer = issuer, .subject = subject, .email = email, .email_verified = verified}, 600);
  }
  static bool Works(Governor& governor, const std::string& secret, Right right = Right::kInfer) {
    EXPECT_TRUE(governor.Tick().has_value());
    return governor.Authenticate(secret, "127.0.0.1:1", right).has_value();
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, UsersTest, kEachStore, StoreName);

TEST_P(UsersTest, ASessionHasTheRightsOfItsUserAndEnds) {
  const auto governor = Open();
  AddUser("Kim@City.example");
  AddUser("boss@city.example", Role::kAdministrator);
  const std::string kim = LogIn("1", "kim@city.EXAMPLE").value();
  const std::string boss = LogIn("2", "boss@city.example").value();
  EXPECT_TRUE(Works(*governor, kim));
  EXPECT_FALSE(Works(*governor, kim, Right::kManageKeys));
  EXPECT_TRUE(Works(*governor, boss, Right::kManageKeys));
  EXPECT_FALSE(Works(*governor, boss, Right::kInfer));
  clock_.Advance(599);
  EXPECT_TRUE(Works(*governor, kim));
  clock_.Advance(1);
  EXPECT_FALSE(Works(*governor, kim));
}

TEST_P(UsersTest, TheNextLoginOrALogoutOrARevocationEndsIt) {
  const auto governor = Open();
  const int64_t key = AddUser("kim@city.example");
  const std::string first = LogIn("1", "kim@city.example").value();
  const std::string second = LogIn("1", "").value();  // known by its subject now
  EXPECT_FALSE(Works(*governor, first));
  EXPECT_TRUE(Works(*governor, second));
  ASSERT_TRUE(admin_->LogOut(key).has_value());
  EXPECT_FALSE(Works(*governor, second));
  const std::string third = LogIn("1", "moved@city.example").value();
  EXPECT_TRUE(Works(*governor, third));
  ASSERT_TRUE(admin_->RevokeKey(key).has_value());
  EXPECT_FALSE(Works(*governor, third));
  EXPECT_FALSE(LogIn("1", "kim@city.example").has_value());
}

TEST_P(UsersTest, AnAddressOpensNothingToAnotherPerson) {
  AddUser("kim@city.example");
  EXPECT_FALSE(LogIn("1", "kim@city.example", false).has_value());
  EXPECT_FALSE(LogIn("1", "").has_value());
  EXPECT_FALSE(LogIn("1", "lee@city.example").has_value());
  ASSERT_TRUE(LogIn("1", "kim@city.example").has_value());
  EXPECT_FALSE(LogIn("2", "kim@city.example").has_value());
  EXPECT_FALSE(LogIn("1", "kim@city.example", true, "https://id.evil").has_value());
}

TEST_P(UsersTest, WhatIsNoUserIsRefused) {
  NewKey wanted;
  wanted.project = project_;
  for (const char* bad : {"", "kim", "@city", "kim@", "a@b@c", "a b@c", "a,b@c"}) {
    wanted.name = bad;
    EXPECT_FALSE(admin_->AddUser(wanted).has_value()) << bad;
  }
  AddUser("kim@city.example");
  wanted.name = "KIM@city.example";
  EXPECT_FALSE(admin_->AddUser(wanted).has_value());
  EXPECT_FALSE(admin_->LogOut(key_.id).has_value());  // a program's key is not a session
}

}  // namespace
}  // namespace jikji
