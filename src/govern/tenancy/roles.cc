#include "govern/tenancy/roles.h"

#include <fmt/format.h>

#include <initializer_list>

namespace jikji {
namespace {

constexpr uint32_t Of(std::initializer_list<Right> rights) {
  uint32_t bits = 0;
  for (const Right right : rights) bits |= static_cast<uint32_t>(right);
  return bits;
}

struct RoleRow {
  Role role;
  std::string_view name;
  Level level;
  uint32_t rights;
};

// No one who manages also infers: an administrator's key that leaks spends no budget.
constexpr RoleRow kRoles[] = {
    {Role::kMember, "member", Level::kProject, Of({Right::kSeeServer, Right::kInfer})},
    {Role::kViewer, "viewer", Level::kProject, Of({Right::kSeeServer, Right::kReadUsage})},
    {Role::kAdministrator, "administrator", Level::kOrganisation,
     Of({Right::kSeeServer, Right::kReadUsage, Right::kManageKeys, Right::kManageBudgets})},
    {Role::kOperator, "operator", Level::kSite,
     Of({Right::kSeeServer, Right::kReadUsage, Right::kManageKeys, Right::kManageBudgets,
         Right::kOperate})},
};

const RoleRow& RowOf(Role role) { return kRoles[static_cast<size_t>(role)]; }

}  // namespace

std::string_view RoleName(Role role) { return RowOf(role).name; }

Result<Role> ParseRole(std::string_view name) {
  for (const RoleRow& row : kRoles) {
    if (row.name == name) return row.role;
  }
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("`{}` is no role: member, viewer, administrator or operator", name));
}

bool HasRight(Role role, Right right) {
  return right == Right::kNone || (RowOf(role).rights & static_cast<uint32_t>(right)) != 0;
}

Level LevelOf(Role role) { return RowOf(role).level; }

}  // namespace jikji
