#include "govern/login/json_web_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <boost/json.hpp>

#include "base/json_strict.h"
#include "store/digest.h"

namespace jikji::login {
namespace {

constexpr size_t kMostBytes = 256u << 10;
constexpr size_t kMostKeys = 64;
constexpr size_t kLeastRsaBits = 2048, kMostRsaBits = 8192;
constexpr size_t kP256Bytes = 32;

using Number = std::unique_ptr<BIGNUM, void (*)(BIGNUM*)>;
using Key = std::shared_ptr<EVP_PKEY>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number NumberOf(std::string_view bytes) {
  return {BN_bin2bn(Bytes(bytes), static_cast<int>(bytes.size()), nullptr), BN_free};
}

// nullptr where OpenSSL takes it for no key.
Key FromParameters(const char* type, OSSL_PARAM_BLD* builder) {
  const std::unique_ptr<OSSL_PARAM, void (*)(OSSL_PARAM*)> parameters(
      OSSL_PARAM_BLD_to_param(builder), OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* made = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  Key key(made, EVP_PKEY_free);
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> check(
      EVP_PKEY_CTX_new_from_pkey(nullptr, made, nullptr), EVP_PKEY_CTX_free);
  return check != nullptr && EVP_PKEY_public_check(check.get()) == 1 ? key : nullptr;
}

using Builder = std::unique_ptr<OSSL_PARAM_BLD, void (*)(OSSL_PARAM_BLD*)>;
Builder NewBuilder() { return {OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free}; }

Key RsaKey(std::string_view modulus, std::string_view exponent) {
  const Number n = NumberOf(modulus), e = NumberOf(exponent);
  if (n == nullptr || e == nullptr) return nullptr;
  const auto bits = static_cast<size_t>(BN_num_bits(n.get()));
  if (bits < kLeastRsaBits || bits > kMostRsaBits) return nullptr;
  // 3 is broken by sloppy padding checks; a large one only costs time.
  if (BN_num_bits(e.get()) > 64 || BN_is_odd(e.get()) == 0 || BN_get_word(e.get()) < 65'537) {
    return nullptr;
  }
  const Builder builder = NewBuilder();
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  return FromParameters("RSA", builder.get());
}

Key P256Key(std::string_view x, std::string_view y) {
  if (x.size() != kP256Bytes || y.size() != kP256Bytes) return nullptr;
  const std::string point = '\x04' + std::string(x) + std::string(y);
  const Builder builder = NewBuilder();
  if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return FromParameters("EC", builder.get());
}

Key Ed25519Key(std::string_view x) {
  return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(x), x.size()),
          EVP_PKEY_free};
}

// r and s, 32 bytes each, as OpenSSL wants them; empty where they are none.
std::string DerOf(std::string_view signature) {
  if (signature.size() != 2 * kP256Bytes) return {};
  const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> pair(ECDSA_SIG_new(), ECDSA_SIG_free);
  Number r = NumberOf(signature.substr(0, kP256Bytes)), s = NumberOf(signature.substr(kP256Bytes));
  if (pair == nullptr || r == nullptr || s == nullptr ||
      ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) {
    return {};
  }
  r.release();
  s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return out;
}

// Bytes of a base64url field; empty where it is absent or none.
std::string Field(const boost::json::object& object, std::string_view name) {
  const auto text = OptionalString(object, name);
  if (!text || !*text) return {};
  return ParseBase64Url(**text).value_or("");
}

std::string Text(const boost::json::object& object, std::string_view name) {
  const auto text = OptionalString(object, name);
  return text ? text->value_or("") : "";
}

// Nothing for a key that is not for signatures of a known kind.
std::optional<JsonWebKey> KeyOf(const boost::json::object& object) {
  JsonWebKey key;
  key.id = Text(object, "kid");
  const std::string type = Text(object, "kty"), curve = Text(object, "crv");
  const std::string use = Text(object, "use"), algorithm = Text(object, "alg");
  if (!use.empty() && use != "sig") return std::nullopt;
  if (type == "RSA") {
    key.algorithm = "RS256";
    key.key = RsaKey(Field(object, "n"), Field(object, "e"));
  } else if (type == "EC" && curve == "P-256") {
    key.algorithm = "ES256";
    key.key = P256Key(Field(object, "x"), Field(object, "y"));
  } else if (type == "OKP" && curve == "Ed25519") {
    key.algorithm = "EdDSA";
    key.key = Ed25519Key(Field(object, "x"));
  }
  if (key.key == nullptr || (!algorithm.empty() && algorithm != key.algorithm)) return std::nullopt;
  return key;
}

}  // namespace

bool JsonWebKey::Verifies(std::string_view message, std::string_view signature) const {
  std::string der;
  if (algorithm == "ES256") {
    der = DerOf(signature);
    signature = der;
  }
  if (signature.empty()) return false;
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  const EVP_MD* hash = algorithm == "EdDSA" ? nullptr : EVP_sha256();
  return context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(message),
                          message.size()) == 1;
}

Result<std::vector<JsonWebKey>> ParseJwks(std::string_view text) {
  JIKJI_ASSIGN(const boost::json::value parsed,
               ParseStrictJson(text, "keys of the provider", {8, kMostBytes}));
  const auto malformed = [] {
    return Fail(ErrorCode::kMalformed, "the provider's keys are no JSON Web Key Set");
  };
  const auto* object = parsed.if_object();
  const auto* list = object == nullptr ? nullptr : object->if_contains("keys");
  const auto* array = list == nullptr ? nullptr : list->if_array();
  if (array == nullptr || array->size() > kMostKeys) return malformed();
  std::vector<JsonWebKey> keys;
  for (const auto& item : *array) {
    if (!item.is_object()) return malformed();
    if (auto key = KeyOf(item.get_object())) keys.push_back(std::move(*key));
  }
  return keys;
}

}  // namespace jikji::login
