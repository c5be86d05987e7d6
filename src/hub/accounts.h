// Who calls a hub, and what they may do with which repository.
//
// An account has a token, of which only the SHA-256 is kept (256 random bits need no slow hash), in
// the shape `hf_...` that llama.cpp insists on. A hub without accounts is open: whoever reaches it
// is its operator, as with `jikji serve` without keys.
#ifndef JIKJI_HUB_ACCOUNTS_H_
#define JIKJI_HUB_ACCOUNTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "hub/repositories.h"

namespace jikji::hub {

enum class AccountRole { kNobody, kRead, kWrite, kAdmin };
std::string_view AccountRoleName(AccountRole role);
Result<AccountRole> ParseAccountRole(std::string_view name);

struct Account {
  std::string name;  // empty: not known
  AccountRole role = AccountRole::kNobody;
  std::vector<std::string> owners;  // beside its own name
  std::string actor = {};           // who acts, for the record, where `name` does not say
};

// The token, which is told this once. kInvalidArgument where the name is taken or is none.
Result<std::string> AddAccount(Database& database, const Account& account);
Result<> RemoveAccount(Database& database, const std::string& name);
Result<std::vector<Account>> ListAccounts(Database& database);

// Nobody for an empty token; the operator of a hub without accounts. kUnauthenticated: a token that
// is not known.
Result<Account> FindAccount(Database& database, std::string_view token);

// It owns what is called by its name or by one of its owners'.
bool Owns(const Account& account, std::string_view repository);
// That it is there, its card and its files' names; what is private is as if it were not there.
bool MaySee(const Account& account, const Repository& repository);
bool MayWrite(const Account& account, const Repository& repository);
// Its files' contents: of a gated one, whoever was let in.
Result<bool> MayRead(Database& database, const Account& account, const Repository& repository);

// Asks for a gated repository; granted at once where it is gated `auto`.
Result<bool> AskAccess(Database& database, const Account& account, const Repository& repository);
Result<> GrantAccess(Database& database, const Repository& repository, const std::string& account,
                     bool granted);
struct AccessRequest {
  std::string account;
  bool granted = false;
};
Result<std::vector<AccessRequest>> ListAccess(Database& database, const Repository& repository);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_ACCOUNTS_H_
