#include "govern/tenancy/api_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdint>

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

// CRC-32 (ISO 3309), bit by bit: 56 characters take a tenth of a microsecond.
uint32_t Crc32(std::string_view text) {
  uint32_t crc = ~0u;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
  }
  return ~crc;
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

KeyDigest KeyHasher::Digest(std::string_view key) const {
  KeyDigest digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), pepper_.data(), static_cast<int>(pepper_.size()),
       reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data(), &size);
  return digest;
}

bool KeyHasher::Equal(const KeyDigest& a, const KeyDigest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string ToHex(const KeyDigest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

Result<KeyDigest> DigestFromHex(std::string_view hex) {
  KeyDigest digest{};
  const auto nibble = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  bool fine = hex.size() == 2 * digest.size();
  for (size_t i = 0; fine && i < digest.size(); ++i) {
    const int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
    fine = high >= 0 && low >= 0;
    digest[i] = static_cast<unsigned char>(high << 4 | low);
  }
  if (!fine) return Fail(ErrorCode::kMalformed, "a stored key is not 64 hexadecimal digits");
  return digest;
}

}  // namespace jikji
