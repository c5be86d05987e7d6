// Signatures over models: OpenSSF Model Signing v1.0, methods `key` and `certificate`.
//
// A signature is a Sigstore bundle (v0.3) around a DSSE envelope; keys are on P-256, P-384 or
// P-521. Nothing is asked of the network. Non-goals: the method `sigstore`, which needs its public
// log.
#ifndef JIKJI_HUB_SIGNING_SIGNATURE_H_
#define JIKJI_HUB_SIGNING_SIGNATURE_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "hub/signing/manifest.h"

namespace jikji::hub {

struct SigningKey {
  std::filesystem::path private_key;  // PEM
  // The signer's certificate and those that lead to its root, PEM; empty: the method `key`.
  std::filesystem::path certificates;
};

// A new P-256 key pair as PEM files; the private one readable by its owner only.
Result<> MakeSigningKey(const std::filesystem::path& private_key,
                        const std::filesystem::path& public_key);

Result<std::string> SignStatement(const std::string& statement, const SigningKey& key);

struct TrustAnchor {
  std::filesystem::path public_key;  // PEM; or
  // Authorities that a signer's chain must lead to, roots or below them, or signers themselves;
  // PEM.
  std::filesystem::path certificates;
};

// The statement, once the signature is good.
Result<std::string> VerifySignature(std::string_view bundle, const TrustAnchor& trust);

struct SignOptions {
  std::filesystem::path folder;  // or a file
  std::filesystem::path signature;
  bool shards = false;
  bool links = true;
};
Result<> SignModel(const SignOptions& options, const SigningKey& key);

// What is wrong with a folder or file whose signature is good; empty: nothing.
struct SignedModel {
  Manifest manifest;
  std::vector<std::string> problems;
};
// A file that was not signed is a problem, as is one that is missing or changed.
Result<SignedModel> VerifyModel(const std::filesystem::path& folder,
                                const std::filesystem::path& signature, const TrustAnchor& trust);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_SIGNING_SIGNATURE_H_
