// Roles, and the rights they give: one right for each kind of endpoint.
//
// A key has one role. What a key may do is what its role says within the part of the tree where the
// key stands, so a child never has more than its parent: an operator's key stands at the root, an
// administrator's in an organisation, all others in a project.
#ifndef JIKJI_GOVERN_TENANCY_ROLES_H_
#define JIKJI_GOVERN_TENANCY_ROLES_H_

#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace jikji {

enum class Right : uint32_t {
  kNone = 0,                // open to everyone
  kSeeServer = 1 << 0,      // version, models
  kInfer = 1 << 1,          // generation and text tools
  kReadUsage = 1 << 2,      // usage and costs of one's own part of the tree
  kManageKeys = 1 << 3,     // projects, keys, service accounts
  kManageBudgets = 1 << 4,  // budgets and limits
  kOperate = 1 << 5,        // the whole site: organisations, prices, stops, metrics
};

enum class Role { kMember, kViewer, kAdministrator, kOperator };

// Where in the tree a key of this role stands.
enum class Level { kSite, kOrganisation, kProject };

std::string_view RoleName(Role role);
Result<Role> ParseRole(std::string_view name);
bool HasRight(Role role, Right right);
Level LevelOf(Role role);

}  // namespace jikji

#endif  // JIKJI_GOVERN_TENANCY_ROLES_H_
