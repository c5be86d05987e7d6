#include "govern/tenancy/api_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace jikji {
namespace {

const std::string kPepper(32, 'p');

TEST(ApiKeyTest, KeysAreDistinctAndRecognised) {
  std::set<std::string> keys, prefixes;
  for (int i = 0; i < 2000; ++i) {
    const auto shape = i % 2 == 0 ? KeyShape::kJikji : KeyShape::kHub;
    const std::string key = MakeApiKey(shape).value();
    EXPECT_TRUE(key.starts_with(shape == KeyShape::kHub ? "hf_" : "jk_"));
    ASSERT_TRUE(KeyPrefix(key).has_value()) << key;
    EXPECT_EQ(*KeyPrefix(key), key.substr(0, kKeyPrefixLength));
    keys.insert(key);
    prefixes.insert(key.substr(0, kKeyPrefixLength));
  }
  EXPECT_EQ(keys.size(), 2000u);
  EXPECT_EQ(prefixes.size(), 2000u);
}

// Every key that differs in one character is refused before anything is looked up.
TEST(ApiKeyTest, ATypingErrorIsSeen) {
  const std::string key = MakeApiKey(KeyShape::kJikji).value();
  for (size_t at = 0; at < key.size(); ++at) {
    for (const char c : {'0', 'a', 'Z', '_', '\0', '\xFF'}) {
      std::string other = key;
      other[at] = c;
      EXPECT_EQ(KeyPrefix(other).has_value(), other == key) << at;
    }
    EXPECT_FALSE(KeyPrefix(key.substr(0, at)).has_value());
  }
  EXPECT_FALSE(KeyPrefix(key + "a").has_value());
}

// RFC 4231, test case 2, with the key brought to the length that a pepper must have (a key of HMAC
// is padded with zeros).
TEST(KeyHasherTest, IsHmacSha256) {
  const auto hasher = KeyHasher::Create("Jefe" + std::string(28, '\0'));
  ASSERT_TRUE(hasher.has_value());
  EXPECT_EQ(HexOf(hasher->Digest("what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(KeyHasherTest, RefusesAnEmptyOrShortPepper) {
  for (const size_t size : {0, 1, 31}) {
    const auto hasher = KeyHasher::Create(std::string(size, 'x'));
    ASSERT_FALSE(hasher.has_value());
    EXPECT_EQ(hasher.error().code, ErrorCode::kInvalidArgument);
  }
  const auto one = KeyHasher::Create(kPepper), other = KeyHasher::Create(std::string(32, 'q'));
  EXPECT_FALSE(KeyHasher::Equal(one->Digest("k"), other->Digest("k")));
  EXPECT_TRUE(KeyHasher::Equal(one->Digest("k"), one->Digest("k")));
}

TEST(KeyHasherTest, HexGoesBothWays) {
  const KeyDigest digest = KeyHasher::Create(kPepper)->Digest("k");
  EXPECT_EQ(ParseDigest(HexOf(digest)).value(), digest);
  EXPECT_FALSE(ParseDigest("").has_value());
  EXPECT_FALSE(ParseDigest(std::string(64, 'G')).has_value());
  EXPECT_FALSE(ParseDigest(std::string(63, '0')).has_value());
}

}  // namespace
}  // namespace jikji
