// Changes to the tree: organisations, projects, service accounts, keys, prices, budgets, limits and
// stops, each in one transaction that raises the directory's generation and writes the act down
// (acts.h).
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
#include "govern/tenancy/acts.h"
#include "govern/tenancy/customers.h"
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
  Grade grade = Grade::kOpen;  // at most its organisation's
};

// Who logged in, as a provider vouches for.
struct LoggedIn {
  std::string issuer, subject, email;
  bool email_verified = false;
};

// A key as its owner sees it, this once.
struct MadeKey {
  int64_t id = 0;
  std::string secret;
};

class Administration {
 public:
  // `hasher` and `clock` outlive this. `actor`: who acts, for the record.
  Administration(Database& database, const KeyHasher& hasher, const Clock& clock, std::string actor)
      : database_(database), hasher_(hasher), clock_(clock), actor_(std::move(actor)) {}

  // Remembers a trace of the pepper with the first call; kPermissionDenied where it is another one
  // than then, since no key would be recognised.
  Result<> CheckPepper();

  Result<int64_t> AddOrganisation(std::string_view name, std::string_view currency);
  Result<int64_t> AddProject(int64_t organisation, std::string_view name,
                             const std::vector<std::string>& models);
  Result<int64_t> AddServiceAccount(int64_t project, std::string_view name);
  // The highest data that an organisation may send; that a model may be sent, and holds.
  Result<> SetOrganisationGrade(int64_t organisation, Grade grade);
  Result<> SetModelGrade(std::string_view model, const ModelGrade& grade);
  Result<> SetServiceClass(int64_t project, ServiceClass service_class);
  Result<> Archive(ScopeKind kind, int64_t id);  // not kKey: keys are revoked

  Result<MadeKey> AddKey(const NewKey& wanted);
  // A new key with the same rights; the old one ends `overlap_seconds` from now, or when it would.
  Result<MadeKey> RotateKey(int64_t id, int64_t overlap_seconds);
  Result<> RevokeKey(int64_t id);

  // A person who may log in with the rights of this key, named by an e-mail address; returns the
  // key's id. LogIn gives the key a new secret, for so many seconds, and returns it;
  // kPermissionDenied for who is no user. RevokeKey keeps a user out for good.
  Result<int64_t> AddUser(const NewKey& wanted);
  Result<std::string> LogIn(const LoggedIn& person, int64_t seconds);
  Result<> LogOut(int64_t key);

  // `secret`: the operator's key of the person who acts (customers.h).
  Result<> FileCustomer(int64_t organisation, const CustomerFile& file, std::string_view secret);
  Result<> ApproveCustomer(int64_t organisation, std::string_view secret);
  Result<> RequireCustomerFiles(bool required);
  // Orders the content that audit logs hold of an archived organisation to be erased: every server
  // destroys the key that it is sealed under, and its log says so.
  Result<> EraseContent(int64_t organisation, std::string_view reason);
  // The accesses of a month were looked at; `note`: what was found.
  Result<> NoteReview(std::string_view note);
  // Rows of usage older than this are deleted; how many. The act says so.
  Result<int64_t> PurgeUsage(int64_t before);

  // For one token, from a moment on. A later call for the same moment replaces the price unless
  // that moment has passed: what was sold stays as it was.
  Result<> SetPrice(std::string_view model, std::string_view currency, int64_t valid_from,
                    const Prices& prices);
  // What was spent in the running window counts already. An amount of a budget that is there
  // replaces its amount.
  Result<int64_t> SetBudget(const Scope& scope, Window window, int64_t amount, bool hard);
  // It bounds nothing any more. Its windows are still charged, so that one which is set again later
  // knows what was spent meanwhile. kNotFound: there is none.
  Result<> RemoveBudget(const Scope& scope, Window window);
  Result<> SetLimit(const RateLimit& limit);

  // `kind`: "all", "organisation" (name: its id) or "model".
  Result<> Stop(std::string_view kind, std::string_view name, std::string_view reason);
  Result<> Resume(std::string_view kind, std::string_view name);

 private:
  // `body` says what it did.
  Result<> Change(const std::function<Result<Act>()>& body);
  // That the scope is there and open; returns its organisation.
  Result<int64_t> CheckScope(const Scope& scope);
  Result<> CheckPlace(NewKey& wanted);
  Result<> CheckGrade(const NewKey& wanted);
  Result<MadeKey> InsertKey(const NewKey& wanted);

  Database& database_;
  const KeyHasher& hasher_;
  const Clock& clock_;
  const std::string actor_;
};

}  // namespace jikji

#endif  // JIKJI_GOVERN_TENANCY_ADMINISTRATION_H_
