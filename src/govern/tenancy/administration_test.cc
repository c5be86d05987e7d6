#include "govern/tenancy/administration.h"

#include <gmock/gmock.h>

#include "govern/testing/site.h"

namespace jikji {
namespace {

using ::testing::HasSubstr;

class AdministrationTest : public Site {
 protected:
  ErrorCode Denial(Governor& governor, const std::string& secret,
                   const std::string& peer = "127.0.0.1:1", Right right = Right::kInfer) {
    const auto caller = governor.Authenticate(secret, peer, right);
    return caller ? ErrorCode::kInternal : caller.error().code;
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, AdministrationTest, kEachStore, StoreName);

TEST_P(AdministrationTest, TheSecretIsNowhereInTheStore) {
  const auto rows = database_->Run("SELECT prefix, digest, name FROM api_keys");
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->Text(0, 0), key_.secret.substr(0, kKeyPrefixLength));
  EXPECT_EQ(rows->Text(0, 1), HexOf(hasher_.Digest(key_.secret)));
  EXPECT_EQ(rows->Text(0, 1).find(key_.secret.substr(20, 8)), std::string::npos);
}

TEST_P(AdministrationTest, NamesAreTakenOnce) {
  EXPECT_THAT(admin_->AddOrganisation("시청", "KRW").error().message, HasSubstr("already"));
  EXPECT_THAT(admin_->AddProject(organisation_, "민원", {}).error().message, HasSubstr("already"));
  EXPECT_EQ(admin_->AddOrganisation("x", "EUR").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(admin_->AddOrganisation("", "KRW").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(admin_->AddProject(999, "x", {}).error().code, ErrorCode::kNotFound);
  const int64_t account = admin_->AddServiceAccount(project_, "bot").value();
  EXPECT_FALSE(admin_->AddServiceAccount(project_, "bot").has_value());
  NewKey wanted;
  wanted.service_account = account;
  EXPECT_GT(AddKey(wanted).id, 0);
}

// A key stands where its role belongs; a branch of another tree does not carry it.
TEST_P(AdministrationTest, AChildHasNoMoreThanItsParent) {
  const int64_t other = admin_->AddOrganisation("도청", "KRW").value();
  const auto refused = [&](NewKey wanted) {
    wanted.name = "k";
    const auto made = admin_->AddKey(wanted);
    return made ? ErrorCode::kInternal : made.error().code;
  };
  NewKey wanted;
  EXPECT_EQ(refused(wanted), ErrorCode::kInvalidArgument);  // a member without a project
  wanted.project = project_;
  wanted.organisation = other;
  EXPECT_EQ(refused(wanted), ErrorCode::kNotFound);
  for (const Role role : {Role::kAdministrator, Role::kOperator}) {
    wanted = {};
    wanted.project = project_;
    wanted.role = role;
    EXPECT_EQ(refused(wanted), ErrorCode::kInvalidArgument);
  }
  wanted = {};
  wanted.organisation = other;
  wanted.role = Role::kOperator;
  EXPECT_EQ(refused(wanted), ErrorCode::kInvalidArgument);
  const int64_t narrow = admin_->AddProject(organisation_, "narrow", {"a", "b"}).value();
  wanted = {};
  wanted.project = narrow;
  wanted.models = {"a", "c"};
  EXPECT_EQ(refused(wanted), ErrorCode::kInvalidArgument);
  const int64_t account = admin_->AddServiceAccount(project_, "bot").value();
  wanted.models = {};
  wanted.service_account = account;
  EXPECT_EQ(refused(wanted), ErrorCode::kNotFound);
  wanted.service_account = 0;
  wanted.networks = "10.0.0.1/8";
  EXPECT_EQ(refused(wanted), ErrorCode::kInvalidArgument);
  wanted.networks = "";
  wanted.expires_at = clock_.WallSeconds();
  EXPECT_EQ(refused(wanted), ErrorCode::kInvalidArgument);
}

TEST_P(AdministrationTest, WhoIsLetIn) {
  NewKey wanted;
  wanted.networks = "10.0.0.0/8,::1";
  const MadeKey inner = AddKey(wanted);
  wanted = {};
  wanted.role = Role::kViewer;
  const MadeKey viewer = AddKey(wanted);
  const auto governor = Open();
  ASSERT_NE(governor, nullptr);
  EXPECT_TRUE(governor->Authenticate(key_.secret, "1.2.3.4:5", Right::kInfer).has_value());
  EXPECT_EQ(Denial(*governor, ""), ErrorCode::kUnauthenticated);
  EXPECT_EQ(Denial(*governor, key_.secret + "x"), ErrorCode::kUnauthenticated);
  // Well formed, and not ours; and with our prefix.
  const std::string strange = MakeApiKey(KeyShape::kJikji).value();
  EXPECT_EQ(Denial(*governor, strange), ErrorCode::kUnauthenticated);
  EXPECT_EQ(Denial(*governor, inner.secret), ErrorCode::kPermissionDenied);
  EXPECT_EQ(Denial(*governor, inner.secret, "nonsense"), ErrorCode::kPermissionDenied);
  EXPECT_TRUE(governor->Authenticate(inner.secret, "10.9.8.7:5", Right::kInfer).has_value());
  EXPECT_TRUE(governor->Authenticate(inner.secret, "[::1]:5", Right::kInfer).has_value());
  EXPECT_EQ(Denial(*governor, viewer.secret), ErrorCode::kPermissionDenied);
  EXPECT_TRUE(governor->Authenticate(viewer.secret, "1.2.3.4:5", Right::kReadUsage).has_value());
  EXPECT_EQ(Denial(*governor, key_.secret, "1.2.3.4:5", Right::kOperate),
            ErrorCode::kPermissionDenied);
}

TEST_P(AdministrationTest, ARevokedKeyIsOutWithTheNextLook) {
  const auto governor = Open();
  EXPECT_TRUE(governor->Authenticate(key_.secret, "", Right::kInfer).has_value());
  ASSERT_TRUE(admin_->RevokeKey(key_.id));
  ASSERT_TRUE(governor->Tick());
  EXPECT_EQ(Denial(*governor, key_.secret), ErrorCode::kUnauthenticated);
  EXPECT_EQ(admin_->RevokeKey(key_.id).error().code, ErrorCode::kNotFound);
}

TEST_P(AdministrationTest, ExpiryArchiveAndRotation) {
  NewKey wanted;
  wanted.expires_at = clock_.WallSeconds() + 100;
  wanted.shape = KeyShape::kHub;
  wanted.models = {kModel};
  const MadeKey old = AddKey(wanted);
  ASSERT_TRUE(admin_->SetBudget({ScopeKind::kKey, old.id}, Window::kMonth, 777, true));
  const MadeKey fresh = admin_->RotateKey(old.id, 50).value();
  EXPECT_TRUE(fresh.secret.starts_with("hf_"));
  const auto governor = Open();
  EXPECT_TRUE(governor->Authenticate(old.secret, "", Right::kInfer).has_value());
  EXPECT_TRUE(governor->Authenticate(fresh.secret, "", Right::kInfer).has_value());
  const auto budgets = database_->Run("SELECT amount FROM budgets WHERE scope_id = $1", {fresh.id});
  EXPECT_EQ(budgets->Int(0, 0), 777);
  clock_.Advance(50);
  EXPECT_EQ(Denial(*governor, old.secret), ErrorCode::kUnauthenticated);
  const auto caller = governor->Authenticate(fresh.secret, "", Right::kInfer);
  ASSERT_TRUE(caller.has_value());
  EXPECT_TRUE((*caller)->MayUse(kModel));
  EXPECT_FALSE((*caller)->MayUse("other"));
  clock_.Advance(50);  // no longer than the old one would have lived
  EXPECT_EQ(Denial(*governor, fresh.secret), ErrorCode::kUnauthenticated);

  EXPECT_TRUE(governor->Authenticate(key_.secret, "", Right::kInfer).has_value());
  ASSERT_TRUE(admin_->Archive(ScopeKind::kProject, project_));
  ASSERT_TRUE(governor->Tick());
  EXPECT_EQ(Denial(*governor, key_.secret), ErrorCode::kUnauthenticated);
}

TEST_P(AdministrationTest, TheWrongPepperOpensNothing) {
  { const auto governor = Open(); }
  GovernorOptions options = Options();
  options.pepper = std::string(32, 'q');
  EXPECT_EQ(Governor::Open(options).error().code, ErrorCode::kPermissionDenied);
  options.pepper = "";
  EXPECT_EQ(Governor::Open(options).error().code, ErrorCode::kInvalidArgument);
}

TEST_P(AdministrationTest, WhatWasSoldStaysAsItWas) {
  EXPECT_FALSE(admin_->SetPrice(kModel, "KRW", 0, {1, 1, 1}).has_value());
  EXPECT_FALSE(admin_->SetPrice(kModel, "KRW", 5, {1, 2, 1}).has_value());
  EXPECT_FALSE(admin_->SetPrice(kModel, "KRW", 5, {-1, -1, 1}).has_value());
  const int64_t later = clock_.WallSeconds() + 1000;
  ASSERT_TRUE(admin_->SetPrice(kModel, "KRW", later, {7, 7, 7}));
  ASSERT_TRUE(admin_->SetPrice(kModel, "KRW", later, {8, 8, 8}));
  const auto directory = Directory::Load(*database_).value();
  EXPECT_EQ(*directory->FindPrices(kModel, "KRW", later - 1), kPrices);
  EXPECT_EQ(*directory->FindPrices(kModel, "KRW", later), (Prices{8, 8, 8}));
  EXPECT_EQ(directory->FindPrices(kModel, "USD", later), nullptr);
  EXPECT_EQ(directory->FindPrices(kModel, "KRW", -1), nullptr);
}

TEST_P(AdministrationTest, NamesThatWouldForgeLinesOfAListAreRefused) {
  for (const char* name : {"a\nb", "a\x1b[31mred", "a\x7f", "a,b", ""}) {
    EXPECT_FALSE(admin_->AddOrganisation(name, "KRW").has_value()) << name;
  }
  EXPECT_TRUE(admin_->AddOrganisation("가게 1호", "KRW").has_value());
}

TEST_P(AdministrationTest, AModelIsNamedByWhatMentionsIt) {
  EXPECT_FALSE(Directory::Load(*database_).value()->Names("m-of-project"));
  ASSERT_TRUE(admin_->AddProject(organisation_, "named", {"m-of-project"}).has_value());
  ASSERT_TRUE(admin_->SetModelGrade("m-of-grade", {}));
  ASSERT_TRUE(admin_->SetLimit({{ScopeKind::kProject, project_}, "m-of-limit", 1, {}, {}}));
  const auto directory = Directory::Load(*database_).value();
  for (const char* model : {"m-of-project", "m-of-grade", "m-of-limit"}) {
    EXPECT_TRUE(directory->Names(model)) << model;
  }
  EXPECT_FALSE(directory->Names("m"));
}

TEST_P(AdministrationTest, EveryChangeRaisesTheGeneration) {
  int64_t generation = Directory::Generation(*database_).value();
  const auto raised = [&] {
    const int64_t now = Directory::Generation(*database_).value();
    return std::exchange(generation, now) < now;
  };
  const Scope scope{ScopeKind::kProject, project_};
  ASSERT_TRUE(admin_->SetBudget(scope, Window::kDay, 5, true));
  EXPECT_TRUE(raised());
  RateLimit limit;
  limit.scope = scope;
  limit.requests_per_minute = 3;
  ASSERT_TRUE(admin_->SetLimit(limit));
  EXPECT_TRUE(raised());
  limit.requests_per_minute = -3;
  EXPECT_FALSE(admin_->SetLimit(limit).has_value());
  limit.requests_per_minute = kLargestRate + 1;
  EXPECT_FALSE(admin_->SetLimit(limit).has_value());
  EXPECT_FALSE(raised());
  ASSERT_TRUE(admin_->Stop("all", "", "drill"));
  EXPECT_TRUE(raised());
  EXPECT_FALSE(admin_->Stop("all", "x", "").has_value());
  EXPECT_FALSE(admin_->Stop("model", "", "").has_value());
  EXPECT_FALSE(admin_->Stop("planet", "x", "").has_value());
  EXPECT_FALSE(admin_->Stop("organisation", "9999", "").has_value());
  EXPECT_FALSE(admin_->Stop("organisation", "1x", "").has_value());
  ASSERT_TRUE(admin_->Resume("all", ""));
  EXPECT_TRUE(raised());
  EXPECT_FALSE(admin_->Resume("all", "").has_value());
}

}  // namespace
}  // namespace jikji
