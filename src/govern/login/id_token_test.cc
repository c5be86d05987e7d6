// Tokens that are nearly right: each differs from a good one in one thing, and is refused.
#include "govern/login/id_token.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <boost/json.hpp>
#include <functional>

#include "store/digest.h"

namespace jikji::login {
namespace {

using boost::json::object;
using Key = std::shared_ptr<EVP_PKEY>;

constexpr int64_t kNow = 1'800'000'000;

Key RsaKey() { return {EVP_RSA_gen(2048), EVP_PKEY_free}; }
Key P256Key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }
Key Ed25519Key() { return {EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free}; }

std::string Number(const Key& key, const char* name, size_t size) {
  BIGNUM* number = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key.get(), name, &number), 1);
  std::string bytes(size == 0 ? static_cast<size_t>(BN_num_bytes(number)) : size, '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()),
               static_cast<int>(bytes.size()));
  BN_free(number);
  return Base64UrlOf(bytes);
}

object RsaJwk(const Key& key, const char* id) {
  return {{"kty", "RSA"}, {"kid", id}, {"n", Number(key, "n", 0)}, {"e", Number(key, "e", 0)}};
}
object P256Jwk(const Key& key, const char* id) {
  return {{"kty", "EC"},
          {"crv", "P-256"},
          {"kid", id},
          {"x", Number(key, "qx", 32)},
          {"y", Number(key, "qy", 32)}};
}
object Ed25519Jwk(const Key& key, const char* id) {
  std::string x(32, '\0');
  size_t size = x.size();
  EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(x.data()), &size);
  return {{"kty", "OKP"}, {"crv", "Ed25519"}, {"kid", id}, {"x", Base64UrlOf(x)}};
}

std::string Sign(const Key& key, std::string_view message) {
  const bool ed = EVP_PKEY_is_a(key.get(), "ED25519") == 1;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestSignInit(context, nullptr, ed ? nullptr : EVP_sha256(), nullptr, key.get());
  std::string out(1024, '\0');
  size_t size = out.size();
  EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size,
                           reinterpret_cast<const unsigned char*>(message.data()), message.size()),
            1);
  EVP_MD_CTX_free(context);
  out.resize(size);
  if (EVP_PKEY_is_a(key.get(), "EC") != 1) return out;
  const auto* der = reinterpret_cast<const unsigned char*>(out.data());
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size));
  std::string raw(64, '\0');
  BN_bn2binpad(ECDSA_SIG_get0_r(pair), reinterpret_cast<unsigned char*>(raw.data()), 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair), reinterpret_cast<unsigned char*>(raw.data() + 32), 32);
  ECDSA_SIG_free(pair);
  return raw;
}

std::string Joined(std::string_view header, std::string_view claims) {
  return Base64UrlOf(header) + "." + Base64UrlOf(claims);
}
std::string Signed(const Key& key, std::string_view header, std::string_view claims) {
  const std::string message = Joined(header, claims);
  return message + "." + Base64UrlOf(Sign(key, message));
}

class IdTokenTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    rsa_ = RsaKey(), rsa2_ = RsaKey(), p256_ = P256Key(), ed_ = Ed25519Key();
  }
  static void TearDownTestSuite() { rsa_ = rsa2_ = p256_ = ed_ = nullptr; }

  static std::string Jwks() {
    object stranger = RsaJwk(rsa2_, "for encryption");
    stranger["use"] = "enc";
    return serialize(object{{"keys",
                             {RsaJwk(rsa_, "r"),
                              RsaJwk(rsa2_, "r2"),
                              P256Jwk(p256_, "p"),
                              Ed25519Jwk(ed_, "e"),
                              stranger,
                              {{"kty", "oct"}, {"kid", "secret"}, {"k", "c2VjcmV0"}}}}});
  }
  static object Claims() {
    return {{"iss", "https://id.example"},
            {"aud", "jikji"},
            {"sub", "kim"},
            {"nonce", "n"},
            {"iat", kNow},
            {"exp", kNow + 60},
            {"email", "kim@city.example"},
            {"email_verified", true}};
  }
  static std::string Changed(const std::function<void(object&)>& change) {
    object claims = Claims();
    change(claims);
    return Signed(rsa_, R"({"alg":"RS256","kid":"r"})", serialize(claims));
  }
  static Result<Identity> Check(const std::string& token) {
    static const auto keys = ParseJwks(Jwks()).value();
    return CheckIdToken(
        token, keys,
        {.issuer = "https://id.example", .client = "jikji", .nonce = "n", .now = kNow});
  }

  static Key rsa_, rsa2_, p256_, ed_;
};
Key IdTokenTest::rsa_, IdTokenTest::rsa2_, IdTokenTest::p256_, IdTokenTest::ed_;

TEST_F(IdTokenTest, GoodOnesOfEachAlgorithmAreTaken) {
  const std::string claims = serialize(Claims());
  for (const auto& [key, header] :
       {std::pair(rsa_, R"({"alg":"RS256","kid":"r","typ":"JWT"})"),
        std::pair(p256_, R"({"alg":"ES256","kid":"p"})"),
        std::pair(p256_, R"({"alg":"ES256"})"),  // the only one of its kind needs no name
        std::pair(ed_, R"({"alg":"EdDSA","kid":"e"})")}) {
    const auto identity = Check(Signed(key, header, claims));
    ASSERT_TRUE(identity.has_value()) << header << identity.error().ToString();
    EXPECT_EQ(identity->subject, "kim");
    EXPECT_EQ(identity->email, "kim@city.example");
    EXPECT_TRUE(identity->email_verified);
  }
  EXPECT_TRUE(Check(Changed([](object& c) { c["aud"] = {"jikji"}; })).has_value());
  EXPECT_TRUE(Check(Changed([](object& c) {
                c["aud"] = {"other", "jikji"};
                c["azp"] = "jikji";
              })).has_value());
  const auto unverified = Check(Changed([](object& c) { c.erase("email_verified"); }));
  ASSERT_TRUE(unverified.has_value());
  EXPECT_FALSE(unverified->email_verified);
}

TEST_F(IdTokenTest, HeadersThatConfuseAreRefused) {
  const std::string claims = serialize(Claims());
  const struct {
    const char* what;
    Key key;
    const char* header;
  } kCases[] = {
      {"no key of this name", rsa_, R"({"alg":"RS256","kid":"x"})"},
      {"another's key", rsa2_, R"({"alg":"RS256","kid":"r"})"},
      {"names another's key", rsa_, R"({"alg":"RS256","kid":"r2"})"},
      {"a key for encryption", rsa2_, R"({"alg":"RS256","kid":"for encryption"})"},
      {"several could be meant", rsa_, R"({"alg":"RS256"})"},
      {"an algorithm of another key", rsa_, R"({"alg":"ES256","kid":"r"})"},
      {"EC as RSA", p256_, R"({"alg":"RS256","kid":"p"})"},
      {"no algorithm", rsa_, R"({"kid":"r"})"},
      {"none", rsa_, R"({"alg":"none","kid":"r"})"},
      {"None", rsa_, R"({"alg":"None","kid":"r"})"},
      {"another case", rsa_, R"({"alg":"rs256","kid":"r"})"},
      {"an algorithm that is a number", rsa_, R"({"alg":1,"kid":"r"})"},
      {"a name that is a path", rsa_, R"({"alg":"RS256","kid":"../../dev/null"})"},
      {"a name that is an address", rsa_, R"({"alg":"RS256","kid":"https://evil.example/jwks"})"},
      {"a name that is SQL", rsa_, R"({"alg":"RS256","kid":"' OR 1=1 --"})"},
      {"a longer name", rsa_, R"({"alg":"RS256","kid":"r\u0000"})"},
      {"keys from elsewhere", rsa_, R"({"alg":"RS256","kid":"r","jku":"https://evil.example"})"},
      {"a certificate from elsewhere", rsa_, R"({"alg":"RS256","kid":"r","x5u":"https://e"})"},
      {"brings its key", rsa_, R"({"alg":"RS256","kid":"r","jwk":{"kty":"RSA"}})"},
      {"a critical extension", rsa_, R"({"alg":"RS256","kid":"r","crit":["b64"],"b64":false})"},
      {"a name twice", rsa_, R"({"alg":"none","alg":"RS256","kid":"r"})"},
      {"a name twice, once escaped", rsa_, R"({"alg":"RS256","kid":"r2","k\u0069d":"r"})"},
      {"another type", rsa_, R"({"alg":"RS256","kid":"r","typ":"at+jwt"})"},
      {"no object", rsa_, R"(["RS256"])"},
      {"no JSON", rsa_, R"({"alg":"RS256")"},
  };
  for (const auto& bad : kCases) {
    EXPECT_FALSE(Check(Signed(bad.key, bad.header, claims)).has_value()) << bad.what;
  }
}

TEST_F(IdTokenTest, APublicKeyIsNoSecret) {
  // HS256 under all that an attacker knows of the key, and under a secret of the set itself.
  const object jwk = RsaJwk(rsa_, "r");
  for (const std::string& secret :
       {std::string(jwk.at("n").as_string()), ParseBase64Url(jwk.at("n").as_string()).value(),
        serialize(jwk), std::string("secret"), std::string()}) {
    for (const char* header : {R"({"alg":"HS256","kid":"r"})", R"({"alg":"HS256","kid":"secret"})",
                               R"({"alg":"RS256","kid":"r"})", R"({"alg":"HS256"})"}) {
      const std::string message = Joined(header, serialize(Claims()));
      const Digest mac = HmacSha256Of(secret, message);
      EXPECT_FALSE(Check(message + "." +
                         Base64UrlOf({reinterpret_cast<const char*>(mac.data()), mac.size()}))
                       .has_value());
    }
  }
}

TEST_F(IdTokenTest, ClaimsThatAreNotForUsAreRefused) {
  const struct {
    const char* what;
    std::function<void(object&)> change;
  } kCases[] = {
      {"an issuer with ours as its start", [](object& c) { c["iss"] = "https://id.example.evil"; }},
      {"a start of our issuer", [](object& c) { c["iss"] = "https://id.exampl"; }},
      {"a slash more", [](object& c) { c["iss"] = "https://id.example/"; }},
      {"no issuer", [](object& c) { c.erase("iss"); }},
      {"a client with our name as its start", [](object& c) { c["aud"] = "jikji2"; }},
      {"a start of our name", [](object& c) { c["aud"] = "jikj"; }},
      {"another case", [](object& c) { c["aud"] = "Jikji"; }},
      {"no audience", [](object& c) { c.erase("aud"); }},
      {"an empty audience", [](object& c) { c["aud"] = boost::json::array(); }},
      {"nested", [](object& c) { c["aud"] = {{"jikji"}}; }},
      {"for several, and nobody says by whom",
       [](object& c) {
         c["aud"] = {"jikji", "other"};
       }},
      {"made at another's wish", [](object& c) { c["azp"] = "other"; }},
      {"expired", [](object& c) { c["exp"] = kNow - kClockSkewSeconds; }},
      {"no end", [](object& c) { c.erase("exp"); }},
      {"an end that is a text", [](object& c) { c["exp"] = "9999999999"; }},
      {"not yet", [](object& c) { c["nbf"] = kNow + kClockSkewSeconds + 1; }},
      {"made in the future", [](object& c) { c["iat"] = kNow + kClockSkewSeconds + 1; }},
      {"old", [](object& c) { c["iat"] = kNow - 3600; }},
      {"no time", [](object& c) { c.erase("iat"); }},
      {"another login's", [](object& c) { c["nonce"] = "m"; }},
      {"a longer nonce", [](object& c) { c["nonce"] = "nn"; }},
      {"no nonce", [](object& c) { c.erase("nonce"); }},
      {"nobody", [](object& c) { c.erase("sub"); }},
      {"an empty subject", [](object& c) { c["sub"] = ""; }},
      {"a subject that is a number", [](object& c) { c["sub"] = 1; }},
      {"a long subject", [](object& c) { c["sub"] = std::string(256, 'x'); }},
  };
  for (const auto& bad : kCases) EXPECT_FALSE(Check(Changed(bad.change)).has_value()) << bad.what;
  // A name twice: the first reader sees us, the second another.
  std::string twice = serialize(Claims());
  twice.insert(1, R"("aud":"other",)");
  EXPECT_FALSE(Check(Signed(rsa_, R"({"alg":"RS256","kid":"r"})", twice)).has_value());
}

TEST_F(IdTokenTest, WhatIsNotWhatWasSignedIsRefused) {
  const std::string good = Changed([](object&) {});
  ASSERT_TRUE(Check(good).has_value());
  for (size_t i = 0; i < good.size(); i += 7) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(Check(bad).has_value()) << i;
  }
  for (size_t size = 0; size < good.size(); ++size) {
    ASSERT_FALSE(Check(good.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(Check(good + ".").has_value());
  EXPECT_FALSE(Check(good + "=").has_value());
  EXPECT_FALSE(Check(" " + good).has_value());
  EXPECT_FALSE(Check(good.substr(0, good.rfind('.') + 1)).has_value());
  // Two tokens of one beginning: the signature of one does not carry the other.
  const std::string other = Changed([](object& c) { c["sub"] = "kim2"; });
  EXPECT_FALSE(Check(other.substr(0, other.rfind('.')) + good.substr(good.rfind('.'))).has_value());
  // A signature of zeros, which some readers of ECDSA once took.
  EXPECT_FALSE(Check(Joined(R"({"alg":"ES256","kid":"p"})", serialize(Claims())) + "." +
                     Base64UrlOf(std::string(64, '\0')))
                   .has_value());
  EXPECT_FALSE(
      Check(Changed([](object& c) { c["pad"] = std::string(kMostTokenBytes, 'x'); })).has_value());
}

TEST_F(IdTokenTest, KeysThatAreWeakOrNoneArePassedOver) {
  object small = RsaJwk(Key(EVP_RSA_gen(1024), EVP_PKEY_free), "small");
  object cheap = RsaJwk(rsa_, "cheap");
  cheap["e"] = "Aw";  // 3
  object off = P256Jwk(p256_, "off");
  off["y"] = off["x"];  // on no curve
  object other = RsaJwk(rsa_, "other");
  other["alg"] = "RS512";
  const auto keys =
      ParseJwks(serialize(object{{"keys", {small, cheap, off, other, RsaJwk(rsa_, "r")}}}));
  ASSERT_TRUE(keys.has_value());
  ASSERT_EQ(keys->size(), 1u);
  EXPECT_EQ(keys->front().id, "r");
  EXPECT_TRUE(AsksForUnknownKey(Signed(rsa_, R"({"alg":"RS256","kid":"new"})", "{}"), *keys));
  EXPECT_FALSE(AsksForUnknownKey(Signed(rsa_, R"({"alg":"RS256","kid":"r"})", "{}"), *keys));
  for (const char* bad :
       {"", "{}", "[]", R"({"keys":{}})", R"({"keys":[1]})", R"({"keys":[],"keys":[]})"}) {
    EXPECT_FALSE(ParseJwks(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace jikji::login
