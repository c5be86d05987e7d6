// SHA256_Init and its like, which OpenSSL 3 would rather have us call by way of EVP.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "store/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <new>
#include <utility>

namespace jikji {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

Context Begin(const EVP_MD* digest) {
  Context context(EVP_MD_CTX_new());
  if (context == nullptr || EVP_DigestInit_ex2(context.get(), digest, nullptr) != 1) {
    throw std::bad_alloc();
  }
  return context;
}

constexpr size_t kHashBlock = 64;  // of SHA-256, in bytes

// Of texts that are at hand: without EVP's context, whose ways round the digest take longer than
// hashing a short text. Records, keys and receipts hash a dozen of them for a request.
Digest HashOf(std::string_view before, std::initializer_list<std::string_view> parts) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, before.data(), before.size());
  for (const std::string_view part : parts) SHA256_Update(&context, part.data(), part.size());
  Digest digest{};
  SHA256_Final(digest.data(), &context);
  return digest;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

struct Sha256Stream::State {
  Context context = Begin(EVP_sha256());
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) {}
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;
Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::Update(std::string_view piece) {
  EVP_DigestUpdate(state_->context.get(), piece.data(), piece.size());
}

Digest Sha256Stream::Finish() {
  Digest digest{};
  EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr);
  return digest;
}

Digest Sha256Of(std::initializer_list<std::string_view> parts) { return HashOf({}, parts); }

Digest Sha256Of(std::string_view bytes) { return Sha256Of({bytes}); }

Digest HmacSha256Of(std::string_view key, std::initializer_list<std::string_view> parts) {
  // RFC 2104. OpenSSL's own HMAC looks its digest up each time, which takes longer than a key does.
  std::array<char, kHashBlock> inner{}, outer{};
  const Digest short_key = key.size() > kHashBlock ? Sha256Of(key) : Digest{};
  if (key.size() > kHashBlock) key = BytesOf(short_key);
  for (size_t i = 0; i < kHashBlock; ++i) {
    const char byte = i < key.size() ? key[i] : '\0';
    inner[i] = static_cast<char>(byte ^ 0x36);
    outer[i] = static_cast<char>(byte ^ 0x5C);
  }
  const Digest first = HashOf({inner.data(), inner.size()}, parts);
  return HashOf({outer.data(), outer.size()}, {BytesOf(first)});
}

Digest HmacSha256Of(std::string_view key, std::string_view bytes) {
  return HmacSha256Of(key, {bytes});
}

std::string GitObjectId(std::string_view kind, std::string_view content) {
  const Context context = Begin(EVP_sha1());
  std::string head(kind);
  head += ' ' + std::to_string(content.size());
  EVP_DigestUpdate(context.get(), head.c_str(), head.size() + 1);  // with its NUL
  EVP_DigestUpdate(context.get(), content.data(), content.size());
  std::string digest(20, '\0');
  EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  return HexOf(digest);
}

std::string HexOf(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += kDigits[static_cast<uint8_t>(c) >> 4];
    out += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

std::string HexOf(const Digest& digest) { return HexOf(BytesOf(digest)); }

bool IsHex(std::string_view text, size_t digits) {
  return text.size() == digits &&
         std::ranges::all_of(text, [](char c) { return HexValue(c) >= 0; });
}

Result<std::string> ParseHex(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexValue(hex[i]);
    const int low = i + 1 < hex.size() ? HexValue(hex[i + 1]) : -1;
    if (high < 0 || low < 0) return Fail(ErrorCode::kMalformed, "not a hexadecimal text");
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

Result<Digest> ParseDigest(std::string_view hex) {
  const auto bytes = ParseHex(hex);
  Digest digest{};
  if (!bytes || bytes->size() != digest.size()) {
    return Fail(ErrorCode::kMalformed, "a SHA-256 is 64 lower-case hexadecimal digits");
  }
  std::ranges::copy(*bytes, digest.begin());
  return digest;
}

std::string Base64Of(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

Result<std::string> ParseBase64(std::string_view text) {
  // EVP_DecodeBlock passes over spaces around the text and reads `=` anywhere: both are refused.
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const auto plain = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  };
  if (text.size() % 4 != 0 || !std::ranges::all_of(text.substr(0, text.size() - padding), plain)) {
    return Fail(ErrorCode::kMalformed, "not base64");
  }
  std::string out(text.size() / 4 * 3 + 1, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return Fail(ErrorCode::kMalformed, "not base64");
  out.resize(static_cast<size_t>(size) - padding);
  return out;
}

std::string Base64UrlOf(std::string_view bytes) {
  std::string out = Base64Of(bytes);
  while (out.ends_with('=')) out.pop_back();
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

Result<std::string> ParseBase64Url(std::string_view text) {
  const auto malformed = [] { return Fail(ErrorCode::kMalformed, "not base64url"); };
  if (text.find_first_of("+/=") != std::string_view::npos || text.size() % 4 == 1) {
    return malformed();
  }
  std::string padded(text);
  std::ranges::replace(padded, '-', '+');
  std::ranges::replace(padded, '_', '/');
  padded.append((4 - padded.size() % 4) % 4, '=');
  auto bytes = ParseBase64(padded);
  if (!bytes || Base64UrlOf(*bytes) != text) return malformed();
  return bytes;
}

bool SameBytes(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<std::string> RandomHex(size_t bytes) {
  std::string random(bytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(random.data()), static_cast<int>(bytes)) != 1) {
    return Fail(ErrorCode::kInternal, "the system gives no random bytes");
  }
  return HexOf(random);
}

}  // namespace jikji
