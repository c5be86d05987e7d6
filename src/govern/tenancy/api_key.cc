#include "govern/tenancy/api_key.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdint>

#include "store/checksum.h"

namespace jikji {
namespace {

constexpr std::string_view kAlphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr size_t kFindingLength = 10;
constexpr size_t kSecretLength = 43;  // 62^43 > 2^256
constexpr size_t kCheckLength = 6;    // 62^6 > 2^32
constexpr size_t kKeyLength = 3 + kFindingLength + kSecretLength + kCheckLength;
static_assert(kKeyPrefixLength == 3 + kFindingLength);
constexpr size_t kLeastPepper = 32;

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

std::string CheckOf(std::string_view body) {
  std::string check;
  for (uint32_t rest = Crc32(body); check.size() < kCheckLength; rest /= 62) {
    check += kAlphabet[rest % 62];
  }
  return check;
}

}  // namespace

Result<std::string> RandomAlphanumeric(size_t count) {
  std::string text;
  while (text.size() < count) {
    unsigned char bytes[64];
    if (RAND_bytes(bytes, sizeof bytes) != 1) {
      return Fail(ErrorCode::kInternal, "the system gives no random bytes");
    }
    for (const unsigned char byte : bytes) {
      // 248 is the last multiple of 62: beyond it some characters would come more often.
      if (byte < 248 && text.size() < count) text += kAlphabet[byte % 62];
    }
    OPENSSL_cleanse(bytes, sizeof bytes);
  }
  return text;
}

Result<std::string> MakeApiKey(KeyShape shape) {
  JIKJI_ASSIGN(const std::string random, RandomAlphanumeric(kFindingLength + kSecretLength));
  std::string key = (shape == KeyShape::kHub ? "hf_" : "jk_") + random;
  return key + CheckOf(key);
}

std::optional<std::string_view> KeyPrefix(std::string_view key) {
  if (key.size() != kKeyLength || !(key.starts_with("jk_") || key.starts_with("hf_"))) return {};
  if (!std::ranges::all_of(key.substr(3), IsAlphanumeric)) return {};
  const std::string_view body = key.substr(0, kKeyLength - kCheckLength);
  if (CheckOf(body) != key.substr(body.size())) return {};
  return key.substr(0, kKeyPrefixLength);
}

Result<KeyHasher> KeyHasher::Create(std::string pepper) {
  if (pepper.size() < kLeastPepper) {
    return Fail(ErrorCode::kInvalidArgument,
                "the pepper of the API keys must have at least 32 characters; `jikji tenant init` "
                "makes one");
  }
  return KeyHasher(std::move(pepper));
}

KeyDigest KeyHasher::Digest(std::string_view key) const { return HmacSha256Of(pepper_, key); }

bool KeyHasher::Equal(const KeyDigest& a, const KeyDigest& b) {
  return SameBytes(BytesOf(a), BytesOf(b));
}

}  // namespace jikji
