#include "govern/login/id_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>

#include "base/json_strict.h"
#include "store/digest.h"

namespace jikji::login {
namespace {

using boost::json::object;
using boost::json::value;

constexpr size_t kMostDepth = 16;
constexpr size_t kLongestSubject = 255;  // OpenID Connect Core 2
constexpr size_t kLongestEmail = 254;
constexpr int64_t kOldestSeconds = 600;  // since it was made: it comes straight from the provider

std::unexpected<Error> Refused(std::string why) {
  return Fail(ErrorCode::kPermissionDenied, "the ID token is refused: " + std::move(why));
}

Result<object> ParsePart(std::string_view part, const char* what) {
  JIKJI_ASSIGN(const std::string text, ParseBase64Url(part));
  JIKJI_ASSIGN(value parsed, ParseStrictJson(text, what, {kMostDepth, kMostTokenBytes}));
  if (!parsed.is_object()) return Fail(ErrorCode::kMalformed, "must be an object", what);
  return std::move(parsed.get_object());
}

struct Parts {
  std::string_view header, payload, message;  // message: what is signed
  std::string signature;
};

Result<Parts> Split(std::string_view token) {
  const size_t first = token.find('.');
  const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (token.size() > kMostTokenBytes || second == std::string_view::npos ||
      token.find('.', second + 1) != std::string_view::npos) {
    return Fail(ErrorCode::kMalformed,
                fmt::format("an ID token is three parts with dots between, of {} bytes at most",
                            kMostTokenBytes));
  }
  Parts parts{token.substr(0, first),
              token.substr(first + 1, second - first - 1),
              token.substr(0, second),
              {}};
  JIKJI_ASSIGN(parts.signature, ParseBase64Url(token.substr(second + 1)));
  return parts;
}

Result<const JsonWebKey*> FindKey(const object& header, std::span<const JsonWebKey> keys) {
  for (const char* name : {"crit", "jku", "jwk", "x5u", "b64", "zip", "enc"}) {
    if (header.contains(name)) return Refused(fmt::format("its header has `{}`", name));
  }
  JIKJI_ASSIGN(const auto type, OptionalString(header, "typ", "header"));
  if (type && *type != "JWT") return Refused("it is of another type");
  JIKJI_ASSIGN(const auto algorithm, OptionalString(header, "alg", "header"));
  JIKJI_ASSIGN(const auto id, OptionalString(header, "kid", "header"));
  const JsonWebKey* found = nullptr;
  for (const JsonWebKey& key : keys) {
    if (key.algorithm != algorithm || (id && key.id != *id)) continue;
    if (found != nullptr) return Refused("it does not say which of several keys signed it");
    found = &key;
  }
  if (found == nullptr) {
    return Refused("no key of the provider has the name and the algorithm that it claims");
  }
  return found;
}

// A string, or a list of strings that holds it (and then `azp` must name us: a token for several
// may have been made at the wish of another).
Result<> CheckAudience(const object& claims, const std::string& client) {
  const value* audience = claims.if_contains("aud");
  bool ours = false, alone = true;
  if (audience != nullptr && audience->is_string()) {
    ours = audience->get_string() == client;
  } else if (audience != nullptr && audience->is_array()) {
    const auto& list = audience->get_array();
    ours = std::ranges::any_of(
        list, [&](const value& one) { return one.is_string() && one.get_string() == client; });
    alone = list.size() == 1;
  }
  JIKJI_ASSIGN(const auto authorized, OptionalString(claims, "azp", "claims"));
  if (!ours || (!alone && !authorized) || (authorized && *authorized != client)) {
    return Refused("it is for another client");
  }
  return {};
}

Result<> CheckTimes(const object& claims, int64_t now) {
  JIKJI_ASSIGN(const auto expires, OptionalNumber(claims, "exp", "claims"));
  JIKJI_ASSIGN(const auto issued, OptionalNumber(claims, "iat", "claims"));
  JIKJI_ASSIGN(const auto begins, OptionalNumber(claims, "nbf", "claims"));
  const auto at = static_cast<double>(now), skew = static_cast<double>(kClockSkewSeconds);
  if (!expires || !issued) return Refused("it does not say when it was made and when it ends");
  if (!(*expires > at - skew)) return Refused("it has expired");
  if (!(*issued <= at + skew) || (begins && !(*begins <= at + skew))) {
    return Refused("it is of the future; are the clocks right?");
  }
  if (!(*issued >= at - skew - static_cast<double>(kOldestSeconds))) return Refused("it is old");
  return {};
}

}  // namespace

Result<Identity> CheckIdToken(std::string_view token, std::span<const JsonWebKey> keys,
                              const ExpectedToken& expected) {
  JIKJI_ASSIGN(const Parts parts, Split(token));
  JIKJI_ASSIGN(const object header, ParsePart(parts.header, "header of the ID token"));
  JIKJI_ASSIGN(const JsonWebKey* key, FindKey(header, keys));
  if (!key->Verifies(parts.message, parts.signature)) return Refused("its signature is wrong");
  JIKJI_ASSIGN(const object claims, ParsePart(parts.payload, "claims of the ID token"));

  JIKJI_ASSIGN(const auto issuer, OptionalString(claims, "iss", "claims"));
  if (issuer != expected.issuer) return Refused("it is of another issuer");
  JIKJI_RETURN_IF_ERROR(CheckAudience(claims, expected.client));
  JIKJI_RETURN_IF_ERROR(CheckTimes(claims, expected.now));
  JIKJI_ASSIGN(const auto nonce, OptionalString(claims, "nonce", "claims"));
  if (expected.nonce.empty() || !nonce || !SameBytes(*nonce, expected.nonce)) {
    return Refused("it is of another login");
  }
  JIKJI_ASSIGN(const auto subject, OptionalString(claims, "sub", "claims"));
  JIKJI_ASSIGN(const auto email, OptionalString(claims, "email", "claims"));
  JIKJI_ASSIGN(const auto verified, OptionalBool(claims, "email_verified", "claims"));
  if (!subject || subject->empty() || subject->size() > kLongestSubject ||
      email.value_or("").size() > kLongestEmail) {
    return Refused("it does not say who logged in");
  }
  return Identity{*issuer, *subject, email.value_or(""), verified.value_or(false)};
}

bool AsksForUnknownKey(std::string_view token, std::span<const JsonWebKey> keys) {
  const auto parts = Split(token);
  if (!parts) return false;
  const auto header = ParsePart(parts->header, "header of the ID token");
  if (!header) return false;
  const auto id = OptionalString(*header, "kid", "header");
  return id && *id &&
         std::ranges::none_of(keys, [&](const JsonWebKey& key) { return key.id == **id; });
}

}  // namespace jikji::login
