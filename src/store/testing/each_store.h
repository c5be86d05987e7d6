// For tests that hold every kind of store to the same: parameterised over "sqlite" and "postgres".
#ifndef JIKJI_STORE_TESTING_EACH_STORE_H_
#define JIKJI_STORE_TESTING_EACH_STORE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "store/database.h"
#include "store/testing/postgres_cluster.h"

namespace jikji {

// The server that the tests of a program share; an error where there is none.
inline Result<std::unique_ptr<PostgresCluster>>& SharedCluster() {
  static auto cluster = PostgresCluster::Start();
  return cluster;
}

// An empty store for each test, and a folder that goes with it.
class EachStore : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string folder = std::filesystem::temp_directory_path() / "jikji_store_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    if (GetParam() == std::string_view("sqlite")) {
      url_ = "sqlite:" + (folder_ / "store.db").string();
      return;
    }
    auto& cluster = SharedCluster();
    if (!cluster) GTEST_SKIP() << cluster.error().message;
    url_ = (*cluster)->NewDatabase();
    ASSERT_FALSE(url_.empty());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // A connection of its own.
  std::unique_ptr<Database> Connect() const {
    auto opened = Database::Open(url_);
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().ToString());
    return opened ? std::move(*opened) : nullptr;
  }

  std::filesystem::path folder_;
  std::string url_;
};

inline const auto kEachStore = testing::Values("sqlite", "postgres");
inline std::string StoreName(const testing::TestParamInfo<const char*>& info) { return info.param; }

}  // namespace jikji

#endif  // JIKJI_STORE_TESTING_EACH_STORE_H_
