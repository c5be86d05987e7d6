#include "govern/audit/signer.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/file.h"
#include "govern/audit/secret_file.h"

namespace jikji::audit {
namespace {

constexpr uint64_t kMaxKeyBytes = 1 << 16;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::shared_ptr<EVP_PKEY> Own(EVP_PKEY* key) { return {key, &EVP_PKEY_free}; }

Result<std::shared_ptr<EVP_PKEY>> Checked(EVP_PKEY* key, const std::filesystem::path& path) {
  auto owned = Own(key);
  if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519) {
    return Fail(ErrorCode::kMalformed, "is no Ed25519 key in PEM", path.string());
  }
  return owned;
}

std::string Drain(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

std::unexpected<Error> OpensslFailed() {
  return Fail(ErrorCode::kInternal, "OpenSSL could not make or use an Ed25519 key");
}

}  // namespace

Result<VerifyKey> VerifyKey::Load(const std::filesystem::path& path) {
  JIKJI_ASSIGN(const std::string pem, ReadFile(path, kMaxKeyBytes));
  const std::unique_ptr<BIO, FreeBio> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  VerifyKey key;
  JIKJI_ASSIGN(key.key_, Checked(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr), path));
  return key;
}

bool VerifyKey::Verify(std::string_view message, const Signature& signature) const {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                          reinterpret_cast<const unsigned char*>(message.data()),
                          message.size()) == 1;
}

Result<std::string> VerifyKey::ToPem() const {
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PUBKEY(bio.get(), key_.get()) != 1) return OpensslFailed();
  return Drain(bio.get());
}

Result<Signer> Signer::LoadOrCreate(const std::filesystem::path& path) {
  Signer signer;
  if (std::filesystem::exists(path)) {
    JIKJI_ASSIGN(const std::string pem, ReadFile(path, kMaxKeyBytes));
    const std::unique_ptr<BIO, FreeBio> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    JIKJI_ASSIGN(signer.key_,
                 Checked(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), path));
    return signer;
  }
  signer.key_ = Own(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new(BIO_s_mem()));
  if (signer.key_ == nullptr || PEM_write_bio_PrivateKey(bio.get(), signer.key_.get(), nullptr,
                                                         nullptr, 0, nullptr, nullptr) != 1) {
    return OpensslFailed();
  }
  JIKJI_RETURN_IF_ERROR(WriteSecretFile(path, Drain(bio.get())));
  return signer;
}

Result<Signature> Signer::Sign(std::string_view message) const {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  Signature signature;
  size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size,
                     reinterpret_cast<const unsigned char*>(message.data()), message.size()) != 1) {
    return OpensslFailed();
  }
  return signature;
}

VerifyKey Signer::verify_key() const {
  VerifyKey key;
  key.key_ = key_;
  return key;
}

}  // namespace jikji::audit
