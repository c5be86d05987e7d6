#include "hub/accounts.h"

#include <algorithm>

#include "hub/names.h"
#include "store/digest.h"

namespace jikji::hub {
namespace {

constexpr std::string_view kRoleNames[] = {"nobody", "read", "write", "admin"};
constexpr size_t kTokenBytes = 32;

std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    out.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

std::string Join(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ",") + part;
  return out;
}

Account RowOf(const SqlRows& rows, size_t row) {
  return {rows.Text(row, 0), ParseAccountRole(rows.Text(row, 1)).value_or(AccountRole::kNobody),
          Split(rows.Text(row, 2))};
}

}  // namespace

std::string_view AccountRoleName(AccountRole role) { return kRoleNames[static_cast<size_t>(role)]; }

Result<AccountRole> ParseAccountRole(std::string_view name) {
  for (const AccountRole role : {AccountRole::kRead, AccountRole::kWrite, AccountRole::kAdmin}) {
    if (AccountRoleName(role) == name) return role;
  }
  return Fail(ErrorCode::kInvalidArgument, "a role is `read`, `write` or `admin`",
              std::string(name));
}

Result<std::string> AddAccount(Database& database, const Account& account) {
  for (const std::string& owner : account.owners) {
    JIKJI_RETURN_IF_ERROR(CheckNewRepositoryName(owner + "/x"));
  }
  JIKJI_RETURN_IF_ERROR(CheckNewRepositoryName(account.name + "/x"));
  JIKJI_ASSIGN(const std::string random, RandomHex(kTokenBytes));
  const std::string token = "hf_" + random;
  auto added = database.Run(
      "INSERT INTO accounts (name, role, owners, digest, created_at) VALUES ($1, $2, $3, $4, $5)",
      {Folded(account.name), std::string(AccountRoleName(account.role)),
       Folded(Join(account.owners)), HexOf(Sha256Of(token)), NowSeconds()});
  if (added) return token;
  if (added.error().code != ErrorCode::kInvalidArgument) {
    return std::unexpected(std::move(added).error());
  }
  return Fail(ErrorCode::kInvalidArgument, "there is an account of that name", account.name);
}

Result<> RemoveAccount(Database& database, const std::string& name) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("DELETE FROM accounts WHERE name = $1", {Folded(name)}));
  if (rows.changed() > 0) return {};
  return Fail(ErrorCode::kNotFound, "there is no such account", name);
}

Result<std::vector<Account>> ListAccounts(Database& database) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("SELECT name, role, owners FROM accounts ORDER BY name"));
  std::vector<Account> out;
  for (size_t row = 0; row < rows.size(); ++row) out.push_back(RowOf(rows, row));
  return out;
}

Result<Account> FindAccount(Database& database, std::string_view token) {
  if (!token.empty()) {
    JIKJI_ASSIGN(const SqlRows rows,
                 database.Run("SELECT name, role, owners FROM accounts WHERE digest = $1",
                              {HexOf(Sha256Of(token))}));
    if (!rows.empty()) return RowOf(rows, 0);
  }
  JIKJI_ASSIGN(const SqlRows any, database.Run("SELECT 1 FROM accounts LIMIT 1"));
  if (any.empty()) return Account{"local", AccountRole::kAdmin, {}};
  if (token.empty()) return Account{};
  return Fail(ErrorCode::kUnauthenticated, "the token is not one of this hub");
}

bool Owns(const Account& account, std::string_view repository) {
  const std::string owner = Folded(OwnerOf(repository));
  return account.role == AccountRole::kAdmin || owner == account.name ||
         std::ranges::find(account.owners, owner) != account.owners.end();
}

bool MaySee(const Account& account, const Repository& repository) {
  return !repository.is_private || Owns(account, repository.name);
}

bool MayWrite(const Account& account, const Repository& repository) {
  return account.role >= AccountRole::kWrite && Owns(account, repository.name);
}

Result<bool> MayRead(Database& database, const Account& account, const Repository& repository) {
  if (!MaySee(account, repository)) return false;
  if (repository.gated.empty() || Owns(account, repository.name)) return true;
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("SELECT granted FROM grants WHERE repository = $1 AND account = $2",
                            {repository.id, account.name}));
  return !rows.empty() && rows.Int(0, 0) != 0;
}

Result<bool> AskAccess(Database& database, const Account& account, const Repository& repository) {
  const bool granted = repository.gated == "auto";
  JIKJI_RETURN_IF_ERROR(
      database.Run("INSERT INTO grants (repository, account, granted) VALUES ($1, $2, $3) ON "
                   "CONFLICT DO NOTHING",
                   {repository.id, account.name, int64_t{granted}}));
  return granted;
}

Result<> GrantAccess(Database& database, const Repository& repository, const std::string& account,
                     bool granted) {
  JIKJI_RETURN_IF_ERROR(
      database.Run("INSERT INTO grants (repository, account, granted) VALUES ($1, $2, $3) ON "
                   "CONFLICT (repository, account) DO UPDATE SET granted = excluded.granted",
                   {repository.id, Folded(account), int64_t{granted}}));
  return {};
}

Result<std::vector<AccessRequest>> ListAccess(Database& database, const Repository& repository) {
  JIKJI_ASSIGN(const SqlRows rows, database.Run("SELECT account, granted FROM grants WHERE "
                                                "repository = $1 ORDER BY account",
                                                {repository.id}));
  std::vector<AccessRequest> out;
  for (size_t row = 0; row < rows.size(); ++row) {
    out.push_back({rows.Text(row, 0), rows.Int(row, 1) != 0});
  }
  return out;
}

}  // namespace jikji::hub
