#include "govern/audit/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <memory>
#include <new>

namespace jikji::audit {
namespace {

// A context that has its digest looked up already: that takes longer than hashing a record.
class Context {
 public:
  Context() : context_(EVP_MD_CTX_new()) {
    if (context_ == nullptr || EVP_DigestInit_ex2(context_, EVP_sha256(), nullptr) != 1) {
      throw std::bad_alloc();
    }
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(context_); }

  Hash Digest(std::initializer_list<std::string_view> parts) {
    EVP_DigestInit_ex2(context_, nullptr, nullptr);
    for (const std::string_view part : parts) {
      EVP_DigestUpdate(context_, part.data(), part.size());
    }
    Hash hash;
    EVP_DigestFinal_ex(context_, hash.data(), nullptr);
    return hash;
  }

 private:
  EVP_MD_CTX* context_;
};

// Tables for eight bytes at a time (Kounavis and Berry 2005).
constexpr size_t kSlices = 8;
using CrcTables = std::array<std::array<uint32_t, 256>, kSlices>;
constexpr CrcTables kCrcTables = [] {
  constexpr uint32_t kPolynomial = 0xEDB88320;
  CrcTables tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][i] = crc;
  }
  for (size_t slice = 1; slice < kSlices; ++slice) {
    for (size_t i = 0; i < 256; ++i) {
      const uint32_t crc = tables[slice - 1][i];
      tables[slice][i] = (crc >> 8) ^ tables[0][crc & 0xFF];
    }
  }
  return tables;
}();

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Hash Sha256(std::initializer_list<std::string_view> parts) {
  thread_local Context context;
  return context.Digest(parts);
}

Hash HmacSha256(std::string_view key, std::initializer_list<std::string_view> parts) {
  // RFC 2104; keys here are 32 bytes, so none needs to be hashed first.
  std::array<char, 64> inner{};
  std::array<char, 64> outer{};
  const size_t size = std::min(key.size(), inner.size());
  for (size_t i = 0; i < inner.size(); ++i) {
    const char byte = i < size ? key[i] : '\0';
    inner[i] = static_cast<char>(byte ^ 0x36);
    outer[i] = static_cast<char>(byte ^ 0x5C);
  }
  std::string text;
  for (const std::string_view part : parts) text += part;
  const Hash first = Sha256({{inner.data(), inner.size()}, text});
  return Sha256({{outer.data(), outer.size()}, BytesOf(first)});
}

uint32_t Crc32(std::string_view bytes) {
  const auto at = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
  uint32_t crc = ~0u;
  size_t i = 0;
  for (; i + kSlices <= bytes.size(); i += kSlices) {
    crc ^= at(i) | at(i + 1) << 8 | at(i + 2) << 16 | at(i + 3) << 24;
    crc = kCrcTables[7][crc & 0xFF] ^ kCrcTables[6][crc >> 8 & 0xFF] ^
          kCrcTables[5][crc >> 16 & 0xFF] ^ kCrcTables[4][crc >> 24] ^ kCrcTables[3][at(i + 4)] ^
          kCrcTables[2][at(i + 5)] ^ kCrcTables[1][at(i + 6)] ^ kCrcTables[0][at(i + 7)];
  }
  for (; i < bytes.size(); ++i) crc = (crc >> 8) ^ kCrcTables[0][(crc ^ at(i)) & 0xFF];
  return ~crc;
}

std::string ToHex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<uint8_t>(c) >> 4];
    out += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

Result<std::string> FromHex(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexValue(hex[i]);
    const int low = i + 1 < hex.size() ? HexValue(hex[i + 1]) : -1;
    if (high < 0 || low < 0) return Fail(ErrorCode::kMalformed, "not a hexadecimal text");
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

Result<Hash> HashFromHex(std::string_view hex) {
  JIKJI_ASSIGN(const std::string bytes, FromHex(hex));
  Hash hash;
  if (bytes.size() != hash.size()) {
    return Fail(ErrorCode::kMalformed, "a hash has 64 hexadecimal digits");
  }
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

std::string ToBase64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

}  // namespace jikji::audit
