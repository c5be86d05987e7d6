#include "govern/tenancy/grade.h"

#include <gtest/gtest.h>

#include "govern/testing/site.h"

namespace jikji {
namespace {

constexpr Grade kGrades[] = {Grade::kOpen, Grade::kSensitive, Grade::kClassified};

TEST(GradeTest, NamesAreTheFrameworks) {
  for (const Grade grade : kGrades) EXPECT_EQ(ParseGrade(GradeName(grade)), grade);
  for (const char* bad : {"", "o", "OS", "X"}) EXPECT_FALSE(ParseGrade(bad).has_value());
}

// Over the whole lattice: allowed exactly where nothing flows down.
TEST(GradeTest, DataNeverFlowsDown) {
  int allowed = 0;
  for (const Grade data : kGrades) {
    for (const Grade organisation : kGrades) {
      for (const Grade clearance : kGrades) {
        for (const Grade content : kGrades) {
          for (const Grade log : kGrades) {
            const bool down =
                data > organisation || data > clearance || data > log || content > data;
            EXPECT_EQ(WhyNot({data, organisation, {clearance, content}, log}).empty(), !down);
            allowed += down ? 0 : 1;
          }
        }
      }
    }
  }
  EXPECT_EQ(allowed, 27 + 2 * 8 + 3 * 1);
}

class GradedTest : public Site {
 protected:
  static std::string ReasonOf(const std::expected<Ticket, Refusal>& ticket) {
    return ticket ? "" : ticket.error().reason;
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, GradedTest, kEachStore, StoreName);

TEST_P(GradedTest, AreEnforcedAtTheDoor) {
  NewKey wanted;
  wanted.name = "sensitive";
  wanted.project = project_;
  wanted.grade = Grade::kSensitive;
  // A child has no more than its parent.
  EXPECT_FALSE(admin_->AddKey(wanted).has_value());
  ASSERT_TRUE(admin_->SetOrganisationGrade(organisation_, Grade::kSensitive));
  const MadeKey sensitive = AddKey(wanted);
  const auto governor = Open();
  EXPECT_EQ(ReasonOf(Admit(*governor, key_.secret, Ask(1, 1))), "");
  EXPECT_EQ(ReasonOf(Admit(*governor, sensitive.secret, Ask(1, 1))), "grade_not_allowed");
  ASSERT_TRUE(admin_->SetModelGrade(kModel, {Grade::kClassified, Grade::kSensitive}));
  ASSERT_TRUE(governor->Tick());
  EXPECT_EQ(ReasonOf(Admit(*governor, sensitive.secret, Ask(1, 1))), "");
  EXPECT_EQ(ReasonOf(Admit(*governor, key_.secret, Ask(1, 1))), "grade_not_allowed");
  // An organisation that is lowered takes its keys with it.
  ASSERT_TRUE(admin_->SetOrganisationGrade(organisation_, Grade::kOpen));
  ASSERT_TRUE(governor->Tick());
  EXPECT_EQ(ReasonOf(Admit(*governor, sensitive.secret, Ask(1, 1))), "grade_not_allowed");
}

TEST_P(GradedTest, TheLogMustBeClearedToo) {
  ASSERT_TRUE(admin_->SetOrganisationGrade(organisation_, Grade::kClassified));
  ASSERT_TRUE(admin_->SetModelGrade(kModel, {Grade::kClassified, Grade::kOpen}));
  NewKey wanted;
  wanted.grade = Grade::kClassified;
  const MadeKey classified = AddKey(wanted);
  GovernorOptions options = Options();
  options.log_grade = Grade::kSensitive;
  const auto governor = Governor::Open(options).value();
  EXPECT_EQ(ReasonOf(Admit(*governor, classified.secret, Ask(1, 1))), "grade_not_allowed");
}

// Pages of the prefix cache are shared within one tenant and one grade.
TEST_P(GradedTest, GradesShareNoPages) {
  ASSERT_TRUE(admin_->SetOrganisationGrade(organisation_, Grade::kSensitive));
  ASSERT_TRUE(admin_->SetModelGrade(kModel, {Grade::kSensitive, Grade::kOpen}));
  NewKey wanted;
  wanted.grade = Grade::kSensitive;
  const MadeKey sensitive = AddKey(wanted);
  const MadeKey rotated = admin_->RotateKey(sensitive.id, 60).value();
  const auto governor = Open();
  const auto open = Admit(*governor, key_.secret, Ask(1, 1));
  const auto other = Admit(*governor, sensitive.secret, Ask(1, 1));
  const auto successor = Admit(*governor, rotated.secret, Ask(1, 1));
  ASSERT_TRUE(open && other && successor);
  EXPECT_NE(open->cache_salt(), other->cache_salt());
  EXPECT_EQ(other->cache_salt(), successor->cache_salt());
  EXPECT_EQ(open->tenant(), other->tenant());
}

// A class decides between tenants; a client can only step back within it.
TEST_P(GradedTest, ServiceClassesOrderTenants) {
  const auto governor = Open();
  const auto priority = [&](int32_t asked) {
    AdmissionRequest request = Ask(1, 1);
    request.priority = asked;
    return Admit(*governor, key_.secret, request)->priority();
  };
  const int32_t standard = priority(0);
  EXPECT_EQ(priority(-1000), standard);
  EXPECT_EQ(priority(5), standard + 5);
  ASSERT_TRUE(admin_->SetServiceClass(project_, ServiceClass::kInteractive));
  ASSERT_TRUE(governor->Tick());
  EXPECT_LT(priority(1'000'000), standard);
  ASSERT_TRUE(admin_->SetServiceClass(project_, ServiceClass::kBatch));
  ASSERT_TRUE(governor->Tick());
  EXPECT_GT(priority(-1'000'000), standard + 5);
}

}  // namespace
}  // namespace jikji
