#include "govern/tenancy/roles.h"

#include <gtest/gtest.h>

#include <string>

namespace jikji {
namespace {

constexpr Right kRights[] = {Right::kSeeServer,  Right::kInfer,         Right::kReadUsage,
                             Right::kManageKeys, Right::kManageBudgets, Right::kOperate};

// The whole matrix, as a person can check it: see, infer, usage, keys, budgets, operate.
TEST(RolesTest, TheMatrix) {
  const std::pair<Role, const char*> rows[] = {{Role::kMember, "xx----"},
                                               {Role::kViewer, "x-x---"},
                                               {Role::kAdministrator, "x-xxx-"},
                                               {Role::kOperator, "x-xxxx"}};
  for (const auto& [role, expected] : rows) {
    std::string row;
    for (const Right right : kRights) row += HasRight(role, right) ? 'x' : '-';
    EXPECT_EQ(row, expected) << RoleName(role);
    EXPECT_TRUE(HasRight(role, Right::kNone));
    EXPECT_EQ(ParseRole(RoleName(role)).value(), role);
  }
  EXPECT_FALSE(ParseRole("root").has_value());
  EXPECT_FALSE(ParseRole("").has_value());
}

TEST(RolesTest, WhoStandsHigherManagesMore) {
  for (const Right right : kRights) {
    if (right == Right::kInfer) continue;  // for projects alone
    EXPECT_TRUE(!HasRight(Role::kViewer, right) || HasRight(Role::kAdministrator, right));
    EXPECT_TRUE(!HasRight(Role::kAdministrator, right) || HasRight(Role::kOperator, right));
  }
}

}  // namespace
}  // namespace jikji
