// SHA-256 as the name of content and under a key (HMAC), the SHA-1 that git names objects by, and
// bytes as text.
//
// SHA-1 is no proof against a person; nothing here trusts it. It is computed because clients of git
// and of model hubs know small files and commits by it.
#ifndef JIKJI_STORE_DIGEST_H_
#define JIKJI_STORE_DIGEST_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji {

using Digest = std::array<uint8_t, 32>;

// Of bytes that come piece by piece.
class Sha256Stream {
 public:
  Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  ~Sha256Stream();

  void Update(std::string_view piece);
  // Once.
  Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Of the parts one after the other. Thread-safe.
Digest Sha256Of(std::initializer_list<std::string_view> parts);
Digest Sha256Of(std::string_view bytes);
Digest HmacSha256Of(std::string_view key, std::initializer_list<std::string_view> parts);
Digest HmacSha256Of(std::string_view key, std::string_view bytes);

inline std::string_view BytesOf(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// The id that git gives an object: `kind` is "blob", "tree" or "commit". 40 hexadecimal digits.
std::string GitObjectId(std::string_view kind, std::string_view content);

std::string HexOf(std::string_view bytes);
std::string HexOf(const Digest& digest);
// kMalformed unless they are 64 lower-case hexadecimal digits.
Result<Digest> ParseDigest(std::string_view hex);
// kMalformed unless they are pairs of lower-case hexadecimal digits.
Result<std::string> ParseHex(std::string_view hex);
// True for `digits` lower-case hexadecimal digits.
bool IsHex(std::string_view text, size_t digits);

// RFC 4648, with padding; kMalformed for anything else.
std::string Base64Of(std::string_view bytes);
Result<std::string> ParseBase64(std::string_view text);

// The same with `-` and `_` and no padding, as tokens of the web have it; one text for each value:
// kMalformed where the last character's spare bits are set.
std::string Base64UrlOf(std::string_view bytes);
Result<std::string> ParseBase64Url(std::string_view text);

// Takes the same time wherever they differ.
bool SameBytes(std::string_view a, std::string_view b);

// `bytes` random bytes as hexadecimal digits.
Result<std::string> RandomHex(size_t bytes);

}  // namespace jikji

#endif  // JIKJI_STORE_DIGEST_H_
