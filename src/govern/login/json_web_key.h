// Public keys of an identity provider: a JSON Web Key Set (RFC 7517), and signatures checked with
// them.
//
// Contract: a key serves one algorithm, which its own type and curve decide, never the token: RS256
// (RSA of 2048 to 8192 bits), ES256 (P-256) and EdDSA (Ed25519). A symmetric key is never taken, so
// that no public key can be used as a secret. Keys of other kinds, or for encryption, are passed
// over.
#ifndef JIKJI_GOVERN_LOGIN_JSON_WEB_KEY_H_
#define JIKJI_GOVERN_LOGIN_JSON_WEB_KEY_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct evp_pkey_st;

namespace jikji::login {

struct JsonWebKey {
  std::string id;         // `kid`: a name to compare, nothing else; may be empty
  std::string algorithm;  // "RS256", "ES256" or "EdDSA"
  std::shared_ptr<evp_pkey_st> key;

  // `signature` as JWS has it (RFC 7518, RFC 8037).
  bool Verifies(std::string_view message, std::string_view signature) const;
};

// At most 256 KiB and 64 keys.
Result<std::vector<JsonWebKey>> ParseJwks(std::string_view text);

}  // namespace jikji::login

#endif  // JIKJI_GOVERN_LOGIN_JSON_WEB_KEY_H_
