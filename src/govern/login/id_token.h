// An ID token of OpenID Connect: a JSON Web Token, signed by the provider, that says who logged in.
//
// Contract: what is returned was signed by one of `keys` under the algorithm that this key is for,
// and is for us, from the issuer, for this login, now (OpenID Connect Core 3.1.3.7). Anything else
// is kPermissionDenied or kMalformed, with the reason. Nothing in a token ever decides where keys
// come from: `jku`, `x5u`, `jwk` and critical extensions are refused. No I/O.
#ifndef JIKJI_GOVERN_LOGIN_ID_TOKEN_H_
#define JIKJI_GOVERN_LOGIN_ID_TOKEN_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "govern/login/json_web_key.h"

namespace jikji::login {

// Of the whole token.
inline constexpr size_t kMostTokenBytes = 16u << 10;
// By which clocks may differ.
inline constexpr int64_t kClockSkewSeconds = 30;

struct ExpectedToken {
  std::string issuer, client, nonce;
  int64_t now = 0;  // UTC seconds
};

struct Identity {
  std::string issuer, subject;  // together a person, for ever
  std::string email;            // empty where the token has none
  bool email_verified = false;  // by the provider
};

Result<Identity> CheckIdToken(std::string_view token, std::span<const JsonWebKey> keys,
                              const ExpectedToken& expected);

// True where no key has the name that the token asks for: the provider may have new ones.
bool AsksForUnknownKey(std::string_view token, std::span<const JsonWebKey> keys);

}  // namespace jikji::login

#endif  // JIKJI_GOVERN_LOGIN_ID_TOKEN_H_
