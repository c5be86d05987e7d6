// Keys that were made to do harm: refused alike, recorded as text nowhere, and never near the
// store.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/governed_site.h"

namespace jikji {
namespace {

using HostileKeysTest = GovernedSite;
INSTANTIATE_TEST_SUITE_P(Stores, HostileKeysTest, kEachStore, StoreName);

// While the store's one connection is held by this test: whoever asked it would wait for ever, and
// a statement that reached another connection would find no table.
TEST_P(HostileKeysTest, BodiesOfUnknownKeysAreNotWaitedFor) {
  const auto wants = [&](const std::string& key, const char* path = "/v1/completions") {
    net::Request head;
    head.method = "POST";
    head.path = path;
    head.headers.emplace_back("Authorization", "Bearer " + key);
    return server_->service->wants_body()(head);
  };
  EXPECT_TRUE(wants(key_.secret));
  EXPECT_FALSE(wants(key_.secret, "/nowhere"));
  std::string other = key_.secret;
  other[20] = other[20] == 'a' ? 'b' : 'a';
  for (const std::string& wrong : {std::string(), std::string("' OR 1=1"), other}) {
    EXPECT_FALSE(wants(wrong)) << wrong;
  }
  ASSERT_TRUE(admin_->RevokeKey(key_.id));
  ASSERT_TRUE(governor_->Tick());
  EXPECT_FALSE(wants(key_.secret));
}

TEST_P(HostileKeysTest, AreRefusedWithoutAStatement) {
  const std::string good = key_.secret;
  const std::string keys[] = {
      std::string("a\0b", 3),
      good + std::string(1, '\0'),
      std::string(1, '\0') + good,
      "'",
      "\"",
      "' OR 1=1; DROP TABLE api_keys; --",
      good + "' OR '1'='1",
      good.substr(0, good.size() - 1) + "'",
      good.substr(0, 14) + "%",
      "%",
      "$1",
      "\\x27",
      std::string(1 << 20, 'a'),
      good + std::string(1 << 20, 'a'),
      std::string(1 << 20, '\0'),
      "직지-열쇠",
      "\xFF\xFE",
      "\xE2\x80\xAE" + good,
      good.substr(0, good.size() - 1),
      good + " ",
      " " + good,
      good + good,
      "",
  };
  ASSERT_TRUE(database_->Run("ALTER TABLE api_keys RENAME TO hidden").has_value());
  ASSERT_TRUE(governor_->WithDatabase([&](Database&) -> Result<> {
    for (const std::string& key : keys) {
      const auto tried = governor_->Authenticate(key, "127.0.0.1:1", Right::kInfer);
      EXPECT_FALSE(tried.has_value()) << key.substr(0, 60);
      if (tried) continue;
      EXPECT_EQ(tried.error().reason, "invalid_api_key");
      // Spaces around a token are not part of it, by the rules of the header.
      if (key == " " + good || key == good + " ") continue;
      EXPECT_EQ(Ask(key, "POST", "/v1/completions", kCompletion)->head.status, 401);
    }
    // The right one needs the store as little.
    EXPECT_TRUE(governor_->Authenticate(good, "127.0.0.1:1", Right::kInfer).has_value());
    return {};
  }));
  EXPECT_EQ(server_->engine.calls, 0);
}

}  // namespace
}  // namespace jikji
