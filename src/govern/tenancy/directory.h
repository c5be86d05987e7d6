// Who there is and what applies to them: the tables of tenancy as one immutable snapshot.
//
// Requests are decided from a snapshot in memory; no authentication touches the database. Every
// change of the tables raises a generation, and whoever holds a snapshot of an older one loads
// anew.
#ifndef JIKJI_GOVERN_TENANCY_DIRECTORY_H_
#define JIKJI_GOVERN_TENANCY_DIRECTORY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "govern/ledger/calendar.h"
#include "govern/ledger/money.h"
#include "govern/tenancy/api_key.h"
#include "govern/tenancy/grade.h"
#include "govern/tenancy/network.h"
#include "govern/tenancy/roles.h"
#include "store/database.h"

namespace jikji {

enum class ScopeKind { kOrganisation, kProject, kKey };
std::string_view ScopeKindName(ScopeKind kind);
Result<ScopeKind> ParseScopeKind(std::string_view name);

struct Scope {
  ScopeKind kind = ScopeKind::kOrganisation;
  int64_t id = 0;
  auto operator<=>(const Scope&) const = default;
};

// Between tenants: a lower class gets what the higher ones leave.
enum class ServiceClass { kInteractive, kStandard, kBatch };
std::string_view ServiceClassName(ServiceClass service_class);
Result<ServiceClass> ParseServiceClass(std::string_view name);

struct Organisation {
  int64_t id = 0;
  std::string name;
  std::string currency;
  std::optional<int64_t> archived_at;
  Grade grade = Grade::kOpen;  // the highest data it may send
};

struct Project {
  int64_t id = 0;
  int64_t organisation = 0;
  std::string name;
  std::vector<std::string> models;  // empty: every model
  std::optional<int64_t> archived_at;
  ServiceClass service_class = ServiceClass::kStandard;
};

struct ApiKey {
  int64_t id = 0;
  int64_t organisation = 0;  // 0: an operator's
  int64_t project = 0;       // 0: not of one project
  int64_t service_account = 0;
  std::string name;
  Role role = Role::kMember;
  std::string prefix;
  KeyDigest digest{};
  std::vector<std::string> models;
  std::vector<Network> networks;
  int64_t created_at = 0;
  std::optional<int64_t> expires_at, revoked_at;
  Grade grade = Grade::kOpen;  // of the data it carries
  std::string currency;        // of its organisation
};

struct Budget {
  int64_t id = 0;
  Scope scope;
  Window window = Window::kMonth;
  bool hard = true;
  int64_t amount = 0;
};

// Refills are counted in 64 bits: tokens of a minute times microseconds of a minute.
inline constexpr int64_t kLargestRate = 100'000'000'000;

struct RateLimit {
  Scope scope;
  std::string model;  // empty: over all models
  std::optional<int64_t> requests_per_minute, tokens_per_minute, concurrent_requests;
};

struct Price {
  int64_t valid_from = 0;
  Prices prices;
};

struct Directory {
  static Result<std::shared_ptr<const Directory>> Load(Database& database);
  static Result<int64_t> Generation(Database& database);

  const ApiKey* FindKey(std::string_view prefix) const;
  // In force at a moment; nullptr where there is none.
  const Prices* FindPrices(std::string_view model, std::string_view currency, int64_t at) const;
  // The organisation and project exist and are not archived.
  bool IsOpen(const ApiKey& key) const;
  // Both the key and its project list it, or list nothing.
  bool MayUse(const ApiKey& key, std::string_view model) const;
  // Why data of this key may not meet this model, with a log of this clearance; empty: it may.
  std::string WhyNotGraded(const ApiKey& key, std::string_view model, Grade log) const;
  // A price, a grade, a limit, a project or a key names it. A model may run that none of them does.
  bool Names(std::string_view model) const;
  ServiceClass ClassOf(const ApiKey& key) const;
  // Why nothing may run for this organisation and model; nullptr where it may.
  const std::string* FindStop(int64_t organisation, std::string_view model) const;

  int64_t generation = 0;
  std::map<int64_t, Organisation> organisations;
  std::map<int64_t, Project> projects;
  std::unordered_map<std::string, ApiKey> keys;  // by prefix
  std::map<std::pair<std::string, std::string>, std::vector<Price>, std::less<>> prices;
  std::map<std::string, ModelGrade, std::less<>> model_grades;  // of others: open
  std::vector<Budget> budgets;
  std::vector<RateLimit> limits;
  std::map<std::pair<std::string, std::string>, std::string, std::less<>> stops;  // to the reason
};

// "a,b" to its parts; none for "".
std::vector<std::string> SplitList(std::string_view text);

}  // namespace jikji

#endif  // JIKJI_GOVERN_TENANCY_DIRECTORY_H_
