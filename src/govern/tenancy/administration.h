// Changes to the tree: organisations, projects, service accounts, keys, prices, budgets, limits and
// stops, each in one transaction that raises the directory's generation.
//
// What is refused is said in words for the person who asked. Who may ask is the caller's to know.
#ifndef JIKJI_GOVERN_TENANCY_ADMINISTRATION_H_
#define JIKJI_GOVERN_TENANCY_ADMINISTRATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "govern/clock.h"
#include "govern/tenancy/directory.h"
#include "store/database.h"

namespace jikji {

struct NewKey {
  int64_t organisation = 0;  // given, or known from the project
  int64_t project = 0;
  int64_t service_account = 0;
  std::string name = {};
  Role role = Role::kMember;
  KeyShape shape = KeyShape::kJikji;
  std::vector<std::string> models = {};
  std::string networks = {};  // with commas between
  std::optional<int64_t> expires_at = {};
};

// A key as its owner sees it, this once.
struct MadeKey {
  int64_t id = 0;
  std::string secret;
};

class Administration {
 public:
  // `hasher` and `clock` outlive this.
  Administration(Database& database, const KeyHasher& hasher, const Clock& clock)
      : database_(database), hasher_(hasher), clock_(clock) {}

  // Remembers a trace of the pepper with the first call; kPermissionDenied where it is another one
  // than then, since no key would be recognised.
  Result<> CheckPepper();

  Result<int64_t> AddOrganisation(std::string_view name, std::string_view currency);
  Result<int64_t> AddProject(int64_t organisation, std::string_view name,
                             const std::vector<std::string>& models);
  Result<int64_t> AddServiceAccount(int64_t project, std::string_view name);
  Result<> Archive(ScopeKind kind, int64_t id);  // not kKey: keys are revoked

  Result<MadeKey> AddKey(const NewKey& wanted);
  // A new key with the same rights; the old one ends `overlap_seconds` from now, or when it would.
  Result<MadeKey> RotateKey(int64_t id, int64_t overlap_seconds);
  Result<> RevokeKey(int64_t id);

  // For one token, from a moment on. A later call for the same moment replaces the price unless
  // that moment has passed: what was sold stays as it was.
  Result<> SetPrice(std::string_view model, std::string_view currency, int64_t valid_from,
                    const Prices& prices);
  // What was spent in the running window counts already. An amount of a budget that is there
  // replaces its amount.
  Result<int64_t> SetBudget(const Scope& scope, Window window, int64_t amount, bool hard);
  Result<> SetLimit(const RateLimit& limit);

  // `kind`: "all", "organisation" (name: its id) or "model".
  Result<> Stop(std::string_view kind, std::string_view name, std::string_view reason);
  Result<> Resume(std::string_view kind, std::string_view name);

 private:
  Result<> Change(const std::function<Result<>()>& body);
  Result<> CheckScope(const Scope& scope);
  Result<> CheckPlace(NewKey& wanted);
  Result<MadeKey> InsertKey(const NewKey& wanted);

  Database& database_;
  const KeyHasher& hasher_;
  const Clock& clock_;
};

}  // namespace jikji

#endif  // JIKJI_GOVERN_TENANCY_ADMINISTRATION_H_
