#include "govern/tenancy/customers.h"

#include <gmock/gmock.h>

#include "govern/testing/site.h"

namespace jikji {
namespace {

using ::testing::HasSubstr;

CustomerFile GoodFile() {
  return {.legal_name = "주식회사 직지",
          .business_number = "124-81-00998",
          .headquarters = "KR",
          .parent = "KR",
          .screening_list = "consolidated 2026-11-20",
          .screening_result = "clear",
          .screened_by = "심사팀",
          .end_use = "민원 상담"};
}

class CustomersTest : public Site {
 protected:
  void SetUp() override {
    Site::SetUp();
    for (std::string& secret : people_) {
      NewKey wanted;
      wanted.role = Role::kOperator;
      secret = AddKey(wanted).secret;
    }
  }
  Result<> File(const CustomerFile& file, size_t person) {
    return admin_->FileCustomer(organisation_, file, people_[person]);
  }
  Result<> Approve(size_t person) {
    return admin_->ApproveCustomer(organisation_, people_[person]);
  }
  bool MakesKeys() {
    NewKey wanted;
    wanted.name = "k";
    wanted.project = project_;
    return admin_->AddKey(wanted).has_value();
  }
  std::string people_[4];
};
INSTANTIATE_TEST_SUITE_P(Stores, CustomersTest, kEachStore, StoreName);

TEST_P(CustomersTest, NoKeyBeforeTwoPeopleHaveApproved) {
  EXPECT_TRUE(MakesKeys());
  ASSERT_TRUE(admin_->RequireCustomerFiles(true));
  EXPECT_FALSE(MakesKeys());
  EXPECT_FALSE(admin_->RotateKey(key_.id, 0).has_value());
  EXPECT_EQ(Approve(1).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(File(GoodFile(), 0));
  EXPECT_FALSE(MakesKeys());
  EXPECT_THAT(Approve(0).error().message, HasSubstr("who filed"));
  ASSERT_TRUE(Approve(1));
  EXPECT_FALSE(MakesKeys());
  EXPECT_THAT(Approve(1).error().message, HasSubstr("already"));
  EXPECT_FALSE(MakesKeys());
  ASSERT_TRUE(Approve(2));
  EXPECT_TRUE(MakesKeys());
  const auto customer = ReadCustomer(*database_, organisation_).value();
  EXPECT_EQ(customer->business_number, "1248100998");
  EXPECT_EQ(customer->approvers.size(), 2u);
  // Filed anew: approved anew.
  ASSERT_TRUE(File(GoodFile(), 3));
  EXPECT_FALSE(MakesKeys());
  ASSERT_TRUE(admin_->RequireCustomerFiles(false));
  EXPECT_TRUE(MakesKeys());
}

TEST_P(CustomersTest, WhoActsMustShowAnOperatorsKey) {
  ASSERT_TRUE(File(GoodFile(), 0));
  for (const std::string& secret :
       {std::string(), key_.secret, MakeApiKey(KeyShape::kJikji).value(), people_[1] + "x"}) {
    EXPECT_EQ(admin_->ApproveCustomer(organisation_, secret).error().code,
              ErrorCode::kUnauthenticated);
  }
  const auto directory = Directory::Load(*database_).value();
  const auto prefix = KeyPrefix(people_[1]).value();
  ASSERT_TRUE(admin_->RevokeKey(directory->FindKey(prefix)->id));
  EXPECT_EQ(Approve(1).error().code, ErrorCode::kUnauthenticated);
}

TEST_P(CustomersTest, AFileMustBeWholeAndClear) {
  const std::pair<std::string CustomerFile::*, const char*> bad[] = {
      {&CustomerFile::legal_name, ""},
      {&CustomerFile::business_number, "124-81-00997"},
      {&CustomerFile::business_number, "1248100"},
      {&CustomerFile::headquarters, "Korea"},
      {&CustomerFile::parent, "kr"},
      {&CustomerFile::end_use, ""}};
  for (const auto& [field, text] : bad) {
    CustomerFile file = GoodFile();
    file.*field = text;
    EXPECT_EQ(File(file, 0).error().code, ErrorCode::kInvalidArgument) << text;
  }
  CustomerFile listed = GoodFile();
  listed.screening_result = "possible match";
  ASSERT_TRUE(File(listed, 0));
  EXPECT_THAT(Approve(1).error().message, HasSubstr("possible match"));
}

}  // namespace
}  // namespace jikji
