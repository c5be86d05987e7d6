// API keys: made, recognised, and kept only as an HMAC.
//
// A key is `jk_` (or `hf_`, which hub clients insist on), ten characters by which it is found,
// 43 random ones (256 bits), and six that check the rest, so that a typing error is known without a
// look-up and a scanner for leaked secrets finds few false ones. What is stored is the finding part
// and HMAC-SHA-256 of the whole under the pepper, a secret that is not in the store: who copies the
// database has no key. A slow hash would add nothing to 256 random bits.
#ifndef JIKJI_GOVERN_TENANCY_API_KEY_H_
#define JIKJI_GOVERN_TENANCY_API_KEY_H_

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/digest.h"

namespace jikji {

enum class KeyShape { kJikji, kHub };

using KeyDigest = Digest;

// What of a key may be shown and stored: its beginning.
inline constexpr size_t kKeyPrefixLength = 13;

// A new one from the system's randomness.
Result<std::string> MakeApiKey(KeyShape shape);

// The finding part of a key that is well formed; of nothing else.
std::optional<std::string_view> KeyPrefix(std::string_view key);

class KeyHasher {
 public:
  // At least 32 characters: an empty or short pepper would make the stored digests guessable by
  // whoever has the database and a list of keys, and hides a mistake in the settings.
  static Result<KeyHasher> Create(std::string pepper);

  KeyDigest Digest(std::string_view key) const;
  // Takes the same time wherever they differ.
  static bool Equal(const KeyDigest& a, const KeyDigest& b);

 private:
  explicit KeyHasher(std::string pepper) : pepper_(std::move(pepper)) {}
  std::string pepper_;
};

// `count` random characters of 0-9A-Za-z.
Result<std::string> RandomAlphanumeric(size_t count);

}  // namespace jikji

#endif  // JIKJI_GOVERN_TENANCY_API_KEY_H_
