// Administration: people who log in at an identity provider.
//
// A user has one key, whose secret changes with each login. The first login is by an e-mail address
// that the provider has verified; it binds the user to who came (issuer and subject), so that an
// address which is given to another person later opens nothing.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "govern/tenancy/administration.h"

namespace jikji {
namespace {

constexpr size_t kLongestEmail = 200;

// Providers differ in how they write the same address.
Result<std::string> PlainEmail(std::string_view given) {
  std::string email(given);
  std::ranges::transform(email, email.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  const size_t at = email.find('@');
  const bool fine = at > 0 && at != std::string::npos && at + 1 < email.size() &&
                    email.find('@', at + 1) == std::string::npos && email.size() <= kLongestEmail &&
                    std::ranges::none_of(email, [](char c) {
                      return static_cast<unsigned char>(c) <= ' ' || c == ',' || c == '\x7F';
                    });
  if (!fine) return Fail(ErrorCode::kInvalidArgument, "not an e-mail address", "email");
  return email;
}

}  // namespace

Result<int64_t> Administration::AddUser(const NewKey& given) {
  NewKey wanted = given;
  JIKJI_ASSIGN(wanted.name, PlainEmail(given.name));
  JIKJI_RETURN_IF_ERROR(ParseNetworks(wanted.networks));
  wanted.expires_at = clock_.WallSeconds();  // no secret works before the first login
  MadeKey made;
  JIKJI_RETURN_IF_ERROR(Change([&]() -> Result<Act> {
    JIKJI_RETURN_IF_ERROR(CheckPlace(wanted));
    JIKJI_RETURN_IF_ERROR(CheckGrade(wanted));
    JIKJI_RETURN_IF_ERROR(CheckCustomer(database_, wanted.organisation));
    JIKJI_ASSIGN(made, InsertKey(wanted));
    JIKJI_ASSIGN(const SqlRows rows,
                 database_.Run("INSERT INTO users (email, api_key) VALUES ($1, $2) "
                               "ON CONFLICT (email) DO NOTHING RETURNING id",
                               {wanted.name, made.id}));
    if (rows.empty()) {
      return Fail(ErrorCode::kInvalidArgument, "there is a user of this address already", "name");
    }
    return Act{
        "user.added", wanted.organisation, fmt::format("key_{}", made.id),
        boost::json::serialize(boost::json::object{
            {"email", wanted.name}, {"role", RoleName(wanted.role)}, {"project", wanted.project}})};
  }));
  return made.id;
}

Result<std::string> Administration::LogIn(const LoggedIn& person, int64_t seconds) {
  std::string secret;
  const auto done = Change([&]() -> Result<Act> {
    JIKJI_ASSIGN(SqlRows rows, database_.Run("SELECT id, api_key FROM users WHERE issuer = $1 "
                                             "AND subject = $2",
                                             {person.issuer, person.subject}));
    if (rows.empty()) {
      const auto email = person.email_verified ? PlainEmail(person.email) : "";
      JIKJI_ASSIGN(rows, database_.Run("UPDATE users SET issuer = $1, subject = $2 "
                                       "WHERE email = $3 AND subject IS NULL "
                                       "RETURNING id, api_key",
                                       {person.issuer, person.subject, email.value_or("")}));
    }
    JIKJI_ASSIGN(secret, MakeApiKey(KeyShape::kJikji));
    const int64_t now = clock_.WallSeconds();
    SqlRows key;
    if (!rows.empty()) {
      JIKJI_ASSIGN(key,
                   database_.Run("UPDATE api_keys SET prefix = $1, digest = $2, "
                                 "expires_at = $3 WHERE id = $4 AND revoked_at IS NULL "
                                 "RETURNING organisation",
                                 {secret.substr(0, kKeyPrefixLength), HexOf(hasher_.Digest(secret)),
                                  now + seconds, rows.Int(0, 1)}));
    }
    if (key.empty()) {
      return Fail(ErrorCode::kPermissionDenied,
                  "you are no user here; ask an administrator to add your e-mail address");
    }
    return Act{"login.succeeded", key.Int(0, 0), fmt::format("key_{}", rows.Int(0, 1)),
               boost::json::serialize(
                   boost::json::object{{"subject", person.subject}, {"ends_at", now + seconds}})};
  });
  if (!done) return std::unexpected(done.error());
  return secret;
}

Result<> Administration::LogOut(int64_t key) {
  return Change([&]() -> Result<Act> {
    JIKJI_ASSIGN(const SqlRows rows,
                 database_.Run("UPDATE api_keys SET expires_at = $1 WHERE id = $2 AND EXISTS "
                               "(SELECT 1 FROM users WHERE api_key = api_keys.id) "
                               "RETURNING organisation",
                               {clock_.WallSeconds(), key}));
    if (rows.empty()) {
      return Fail(ErrorCode::kInvalidArgument, "this key is of no person who logged in");
    }
    return Act{"logout.succeeded", rows.Int(0, 0), fmt::format("key_{}", key), "{}"};
  });
}

}  // namespace jikji
