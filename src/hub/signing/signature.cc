#include "hub/signing/signature.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <memory>

#include "base/file.h"
#include "base/json.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view kBundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";
constexpr std::string_view kPayloadType = "application/vnd.in-toto+json";
constexpr uint64_t kMaxPem = 1u << 20;
constexpr uint64_t kMaxBundle = 256u << 20;

template <auto free>
struct Free {
  template <class T>
  void operator()(T* value) const {
    free(value);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Certificates = std::vector<Certificate>;

Bio Reader(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string TextOf(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

std::unexpected<Error> BadKey(const fs::path& path) {
  return Fail(ErrorCode::kInvalidArgument,
              "not a PEM file with a key on P-256, P-384 or P-521 without a passphrase",
              path.string());
}

// The hash that goes with the curve; nullptr for another key.
const EVP_MD* HashFor(const Key& key) {
  if (key == nullptr || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC) return nullptr;
  switch (EVP_PKEY_get_bits(key.get())) {
    case 256:
      return EVP_sha256();
    case 384:
      return EVP_sha384();
    case 521:
      return EVP_sha512();
    default:
      return nullptr;
  }
}

int NoPassphrase(char*, int, int, void*) { return -1; }

Result<Key> LoadKey(const fs::path& path, bool is_private) {
  JIKJI_ASSIGN(const std::string pem, ReadFile(path, kMaxPem));
  const Bio bio = Reader(pem);
  Key key(is_private ? PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr)
                     : PEM_read_bio_PUBKEY(bio.get(), nullptr, NoPassphrase, nullptr));
  if (HashFor(key) == nullptr) return BadKey(path);
  return key;
}

Result<Certificates> LoadCertificates(const fs::path& path) {
  JIKJI_ASSIGN(const std::string pem, ReadFile(path, kMaxPem));
  const Bio bio = Reader(pem);
  Certificates out;
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr)) {
    out.emplace_back(next);
  }
  if (!out.empty()) return out;
  return Fail(ErrorCode::kInvalidArgument, "no certificate is in this PEM file", path.string());
}

std::string PublicPem(const Key& key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(bio.get(), key.get());
  return TextOf(bio);
}

std::string DerOf(const Certificate& certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate.get(), &bytes);
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<size_t>(std::max(size, 0)));
  OPENSSL_free(bytes);
  return out;
}

// What is signed (DSSE, pre-authentication encoding).
std::string Encoded(std::string_view payload) {
  return fmt::format("DSSEv1 {} {} {} {}", kPayloadType.size(), kPayloadType, payload.size(),
                     payload);
}

Result<std::string> Sign(const Key& key, std::string_view text) {
  const Context context(EVP_MD_CTX_new());
  size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DigestSignInit(context.get(), nullptr, HashFor(key), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1) {
    return Fail(ErrorCode::kInternal, "cannot sign");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes, text.size()) != 1) {
    return Fail(ErrorCode::kInternal, "cannot sign");
  }
  signature.resize(size);
  return signature;
}

bool Verify(const Key& key, std::string_view text, std::string_view signature) {
  const Context context(EVP_MD_CTX_new());
  return HashFor(key) != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, HashFor(key), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                          text.size()) == 1;
}

std::string StringAt(const json::value& value, std::string_view pointer) {
  boost::system::error_code absent;
  const json::value* found = value.find_pointer(pointer, absent);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : "";
}

std::unexpected<Error> Untrusted(std::string why) {
  return Fail(ErrorCode::kPermissionDenied, "the signature is not good: " + std::move(why));
}

// As the reference asks it: for signatures by its key usage, or for code by its extended one.
bool IsForSigning(const Certificate& certificate) {
  const uint32_t flags = X509_get_extension_flags(certificate.get());
  if ((flags & EXFLAG_INVALID) != 0) return false;
  if ((flags & EXFLAG_KUSAGE) != 0 &&
      (X509_get_key_usage(certificate.get()) & KU_DIGITAL_SIGNATURE) != 0) {
    return true;
  }
  return (flags & EXFLAG_XKUSAGE) != 0 &&
         (X509_get_extended_key_usage(certificate.get()) & XKU_CODE_SIGN) != 0;
}

// The key of the bundle's first certificate, once it leads to one of the roots: authorities, or the
// signer's own certificate, that are trusted as they are.
Result<Key> TrustedKey(const json::value& bundle, const Certificates& roots) {
  boost::system::error_code absent;
  const json::value* list =
      bundle.find_pointer("/verificationMaterial/x509CertificateChain/certificates", absent);
  Certificates chain;
  for (const json::value& item :
       list != nullptr && list->is_array() ? list->as_array() : json::array()) {
    JIKJI_ASSIGN(const std::string der, ParseBase64(StringAt(item, "/rawBytes")));
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    Certificate certificate(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
    if (certificate == nullptr) return Untrusted("a certificate cannot be read");
    chain.push_back(std::move(certificate));
  }
  if (chain.empty()) return Untrusted("it holds no certificate");
  const std::unique_ptr<X509_STORE, Free<X509_STORE_free>> store(X509_STORE_new());
  for (const Certificate& root : roots) X509_STORE_add_cert(store.get(), root.get());
  STACK_OF(X509)* between = sk_X509_new_null();
  for (size_t i = 1; i < chain.size(); ++i) sk_X509_push(between, chain[i].get());
  const std::unique_ptr<X509_STORE_CTX, Free<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  const bool ready =
      X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), between) == 1;
  if (ready) {
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context.get()),
                                X509_V_FLAG_PARTIAL_CHAIN);
  }
  const bool trusted = ready && X509_verify_cert(context.get()) == 1;
  const std::string why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
  sk_X509_free(between);
  if (!trusted) return Untrusted("the certificate: " + why);
  if (!IsForSigning(chain.front())) {
    return Untrusted("the certificate is for other things than signing");
  }
  return Key(X509_get_pubkey(chain.front().get()));
}

}  // namespace

Result<> MakeSigningKey(const fs::path& private_key, const fs::path& public_key) {
  const Key key(EVP_EC_gen("P-256"));
  const Bio bio(BIO_new(BIO_s_mem()));
  if (key == nullptr || PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0,
                                                      nullptr, nullptr) != 1) {
    return Fail(ErrorCode::kInternal, "cannot make a key");
  }
  const int file = open(private_key.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const std::string pem = TextOf(bio);
  const bool written =
      file >= 0 && write(file, pem.data(), pem.size()) == static_cast<ssize_t>(pem.size());
  if (file >= 0) close(file);
  if (!written) {
    return Fail(ErrorCode::kIo, "cannot write the key, or it is there already",
                private_key.string());
  }
  return WriteFileAtomic(public_key, PublicPem(key));
}

Result<std::string> SignStatement(const std::string& statement, const SigningKey& signing) {
  JIKJI_ASSIGN(const Key key, LoadKey(signing.private_key, /*is_private=*/true));
  json::object material;
  if (signing.certificates.empty()) {
    material["publicKey"] = json::object{{"hint", HexOf(Sha256Of(PublicPem(key)))}};
  } else {
    JIKJI_ASSIGN(const Certificates chain, LoadCertificates(signing.certificates));
    if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
      return Fail(ErrorCode::kInvalidArgument, "the first certificate is not of this key",
                  signing.certificates.string());
    }
    json::array list;
    for (const Certificate& certificate : chain) {
      list.push_back(json::object{{"rawBytes", Base64Of(DerOf(certificate))}});
    }
    material["x509CertificateChain"] = json::object{{"certificates", std::move(list)}};
  }
  material["tlogEntries"] = json::array();
  JIKJI_ASSIGN(const std::string signature, Sign(key, Encoded(statement)));
  return json::serialize(
      json::object{{"mediaType", kBundleType},
                   {"verificationMaterial", std::move(material)},
                   {"dsseEnvelope",
                    {{"payload", Base64Of(statement)},
                     {"payloadType", kPayloadType},
                     {"signatures", {{{"sig", Base64Of(signature)}, {"keyid", ""}}}}}}});
}

Result<std::string> VerifySignature(std::string_view text, const TrustAnchor& trust) {
  JIKJI_ASSIGN(const json::value bundle, ParseJson(text, "signature"));
  if (StringAt(bundle, "/dsseEnvelope/payloadType") != kPayloadType) {
    return Untrusted("it is not over an in-toto statement");
  }
  boost::system::error_code absent;
  const json::value* signatures = bundle.find_pointer("/dsseEnvelope/signatures", absent);
  if (signatures == nullptr || !signatures->is_array() || signatures->as_array().size() != 1) {
    return Untrusted("it must hold one signature");
  }
  JIKJI_ASSIGN(std::string payload, ParseBase64(StringAt(bundle, "/dsseEnvelope/payload")));
  JIKJI_ASSIGN(const std::string signature,
               ParseBase64(StringAt(bundle, "/dsseEnvelope/signatures/0/sig")));
  Key key;
  if (!trust.public_key.empty()) {
    JIKJI_ASSIGN(key, LoadKey(trust.public_key, /*is_private=*/false));
    const std::string hint = StringAt(bundle, "/verificationMaterial/publicKey/hint");
    if (!hint.empty() && hint != HexOf(Sha256Of(PublicPem(key)))) {
      return Untrusted("it is of another key");
    }
  } else {
    JIKJI_ASSIGN(const Certificates roots, LoadCertificates(trust.certificates));
    JIKJI_ASSIGN(key, TrustedKey(bundle, roots));
  }
  if (!Verify(key, Encoded(payload), signature)) return Untrusted("it is not of these bytes");
  return payload;
}

Result<> SignModel(const SignOptions& options, const SigningKey& key) {
  Manifest how;
  how.name = fs::absolute(options.folder).lexically_normal().filename().string();
  if (how.name.empty()) how.name = fs::absolute(options.folder).parent_path().filename().string();
  how.shards = options.shards;
  how.links = options.links;
  JIKJI_ASSIGN(const Manifest manifest, ManifestOf(options.folder, options.signature, how));
  if (manifest.resources.empty()) {
    return Fail(ErrorCode::kNotFound, "there is nothing to sign", options.folder.string());
  }
  JIKJI_ASSIGN(const std::string bundle, SignStatement(StatementOf(manifest), key));
  return WriteFileAtomic(options.signature, bundle);
}

Result<SignedModel> VerifyModel(const fs::path& folder, const fs::path& signature,
                                const TrustAnchor& trust) {
  JIKJI_ASSIGN(const std::string bundle, ReadFile(signature, kMaxBundle));
  JIKJI_ASSIGN(const std::string statement, VerifySignature(bundle, trust));
  SignedModel model;
  JIKJI_ASSIGN(model.manifest, ParseStatement(statement));
  JIKJI_ASSIGN(const Manifest found, ManifestOf(folder, signature, model.manifest));
  for (const auto& [name, digest] : model.manifest.resources) {
    const auto there = found.resources.find(name);
    if (there == found.resources.end()) {
      model.problems.push_back("missing: " + name);
    } else if (there->second != digest) {
      model.problems.push_back("changed: " + name);
    }
  }
  for (const auto& [name, digest] : found.resources) {
    if (!model.manifest.resources.contains(name)) model.problems.push_back("not signed: " + name);
  }
  return model;
}

}  // namespace jikji::hub
