// What becomes of a store when its disk is full, its writer is killed, or its server goes away.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/test_rounds.h"
#include "store/migrations.h"
#include "store/testing/each_store.h"

namespace jikji {
namespace {

constexpr Migration kSchema[] = {
    "CREATE TABLE pairs (id @ID, half @INTEGER NOT NULL, filler @TEXT) @STRICT"};

class StoreFaults : public EachStore {
 protected:
  std::unique_ptr<Database> Ready() const {
    auto database = Connect();
    EXPECT_TRUE(Migrate(*database, "test", kSchema));
    return database;
  }
  static Result<> WritePair(Database& db, const std::string& filler) {
    return InTransaction(db, [&]() -> Result<> {
      for (int64_t half : {1, 2}) {
        JIKJI_RETURN_IF_ERROR(
            db.Run("INSERT INTO pairs (half, filler) VALUES ($1, $2)", {half, filler}));
      }
      return {};
    });
  }
  static void ExpectWholePairs(Database& db) {
    const auto rows = db.Run(
        "SELECT CAST(COUNT(*) AS BIGINT), CAST(COALESCE(SUM(half), 0) AS BIGINT) FROM pairs");
    ASSERT_TRUE(rows.has_value()) << rows.error().ToString();
    EXPECT_EQ(rows->Int(0, 0) % 2, 0);
    EXPECT_EQ(rows->Int(0, 1) * 2, rows->Int(0, 0) * 3);
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, StoreFaults, kEachStore, StoreName);

// A writer is killed at any point of its work: each pair is there whole or not at all, and the next
// program writes on.
TEST_P(StoreFaults, AKilledWriterLeavesWholeTransactions) {
  auto db = Ready();
  int64_t seen = 0;
  for (int round = 0; round < TestRounds(8); ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    db.reset();  // SQLite's connections must not be carried into a child
    const pid_t writer = fork();
    ASSERT_GE(writer, 0);
    if (writer == 0) {
      auto own = Database::Open(url_);
      while (own && WritePair(**own, std::string(200, 'x'))) {
        if (write(pipe_ends[1], "+", 1) != 1) break;
      }
      _exit(1);
    }
    close(pipe_ends[1]);
    // Killed after as many commits as the round says, wherever it stands by then.
    char byte = 0;
    int64_t commits = 0;
    while (commits < 1 + 3 * round && read(pipe_ends[0], &byte, 1) == 1) ++commits;
    EXPECT_EQ(commits, 1 + 3 * round);
    kill(writer, SIGKILL);
    waitpid(writer, nullptr, 0);
    while (read(pipe_ends[0], &byte, 1) == 1) ++commits;
    close(pipe_ends[0]);
    seen += commits;
    db = Connect();
    ExpectWholePairs(*db);
    // What was committed is there.
    EXPECT_GE(db->Run("SELECT CAST(COUNT(*) AS BIGINT) FROM pairs")->Int(0, 0), 2 * seen);
    ASSERT_TRUE(WritePair(*db, "after"));
    ++seen;
  }
}

TEST(SqliteFaults, AFullDiskIsAnErrorAndNothingIsLost) {
  std::string folder = std::filesystem::temp_directory_path() / "jikji_full_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string url = "sqlite:" + folder + "/s.db";
  {
    auto db = Database::Open(url);
    ASSERT_TRUE(db.has_value());
    ASSERT_TRUE(Migrate(**db, "test", kSchema));
  }
  // In a child, so that the limit is not ours: files may not grow past 200 kB.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{200'000, 200'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    auto db = Database::Open(url);
    if (!db) _exit(1);
    int written = 0;
    const auto write = [&] {
      return InTransaction(**db, [&]() -> Result<> {
        for (int64_t half : {1, 2}) {
          JIKJI_RETURN_IF_ERROR((*db)->Run("INSERT INTO pairs (half, filler) VALUES ($1, $2)",
                                           {half, std::string(10'000, 'x')}));
        }
        return {};
      });
    };
    auto done = write();
    for (; done && written < 1000; done = write()) ++written;
    const bool full = !done && (done.error().code == ErrorCode::kResourceExhausted ||
                                done.error().code == ErrorCode::kIo);
    const auto count = (*db)->Run("SELECT COUNT(*) FROM pairs");
    _exit(full && written > 0 && count && count->Int(0, 0) == 2 * written ? 0 : 2);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  auto db = Database::Open(url);
  ASSERT_TRUE(db.has_value());
  EXPECT_GT((*db)->Run("SELECT COUNT(*) FROM pairs")->Int(0, 0), 0);
  EXPECT_TRUE((*db)->Run("INSERT INTO pairs (half) VALUES (1)"));
  std::filesystem::remove_all(folder);
}

TEST(SqliteFaults, AFileThatIsNoDatabaseIsRefused) {
  std::string folder = std::filesystem::temp_directory_path() / "jikji_bad_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  {
    FILE* file = fopen((folder + "/s.db").c_str(), "w");
    ASSERT_NE(file, nullptr);
    fputs(std::string(5000, 'x').c_str(), file);
    fclose(file);
  }
  const auto db = Database::Open("sqlite:" + folder + "/s.db");
  ASSERT_FALSE(db.has_value());
  EXPECT_EQ(db.error().code, ErrorCode::kMalformed);
  std::filesystem::remove_all(folder);
}

// A server of its own, since it is taken away from under the connection.
TEST(PostgresFaults, AServerThatWentAwayAndCameBack) {
  auto cluster = PostgresCluster::Start();
  if (!cluster) GTEST_SKIP() << cluster.error().message;
  auto db = Database::Open((*cluster)->NewDatabase());
  ASSERT_TRUE(db.has_value());
  ASSERT_TRUE(Migrate(**db, "test", kSchema));
  const auto write = [&] {
    return InTransaction(**db, [&]() -> Result<> {
      JIKJI_RETURN_IF_ERROR((*db)->Run("INSERT INTO pairs (half) VALUES (1)"));
      return {};
    });
  };
  ASSERT_TRUE(write());

  // In the middle of a transaction.
  {
    auto transaction = Transaction::Begin(**db);
    ASSERT_TRUE(transaction.has_value());
    ASSERT_TRUE((*db)->Run("INSERT INTO pairs (half) VALUES (2)"));
    ASSERT_TRUE((*cluster)->StopServer("immediate"));
    // Not on a new connection, where the first half would be missing.
    EXPECT_EQ((*db)->Run("INSERT INTO pairs (half) VALUES (2)").error().code,
              ErrorCode::kUnavailable);
    EXPECT_EQ((*db)->Run("INSERT INTO pairs (half) VALUES (2)").error().code,
              ErrorCode::kUnavailable);
    EXPECT_EQ(transaction->Commit().error().code, ErrorCode::kUnavailable);
  }
  EXPECT_EQ(write().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ((*db)->Run("SELECT id FROM pairs").error().code, ErrorCode::kUnavailable);

  ASSERT_TRUE((*cluster)->StartServer());
  EXPECT_TRUE(write());
  // And while nothing was asked of it.
  ASSERT_TRUE((*cluster)->StopServer("fast"));
  ASSERT_TRUE((*cluster)->StartServer());
  EXPECT_TRUE(write());
  const auto rows = (*db)->Run("SELECT half FROM pairs");
  ASSERT_TRUE(rows.has_value());
  ASSERT_EQ(rows->size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(rows->Int(i, 0), 1);
}

}  // namespace
}  // namespace jikji
