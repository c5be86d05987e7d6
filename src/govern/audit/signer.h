// Ed25519 signatures (RFC 8032, OpenSSL): who holds the key can sign heads of the log, whoever has
// the public key can check them.
#ifndef JIKJI_GOVERN_AUDIT_SIGNER_H_
#define JIKJI_GOVERN_AUDIT_SIGNER_H_

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

struct evp_pkey_st;

namespace jikji::audit {

using Signature = std::array<uint8_t, 64>;

class VerifyKey {
 public:
  // A PEM file, as `openssl pkey -pubout` writes it.
  static Result<VerifyKey> Load(const std::filesystem::path& path);
  bool Verify(std::string_view message, const Signature& signature) const;
  Result<std::string> ToPem() const;

 private:
  friend class Signer;
  std::shared_ptr<evp_pkey_st> key_;
};

class Signer {
 public:
  // Reads the private key at `path` (PEM), or makes one there that only its owner may read.
  static Result<Signer> LoadOrCreate(const std::filesystem::path& path);
  Result<Signature> Sign(std::string_view message) const;
  VerifyKey verify_key() const;

 private:
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_SIGNER_H_
