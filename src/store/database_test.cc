#include "store/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <limits>
#include <thread>

#include "store/migrations.h"
#include "store/testing/each_store.h"

namespace jikji {
namespace {

using ::testing::HasSubstr;

constexpr Migration kSchema[] = {
    "CREATE TABLE items (id @ID, name @TEXT NOT NULL UNIQUE, amount @INTEGER) @STRICT",
    "CREATE TABLE parts (item @INTEGER NOT NULL REFERENCES items (id), note @TEXT) @STRICT",
};

class DatabaseTest : public EachStore {
 protected:
  std::unique_ptr<Database> Ready() const {
    auto database = Connect();
    const auto migrated = Migrate(*database, "test", kSchema);
    EXPECT_TRUE(migrated.has_value()) << migrated.error().ToString();
    return database;
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, DatabaseTest, kEachStore, StoreName);

TEST_P(DatabaseTest, ValuesComeBackAsTheyWent) {
  const auto db = Ready();
  const int64_t most = std::numeric_limits<int64_t>::max();
  const int64_t least = std::numeric_limits<int64_t>::min();
  const SqlValue amounts[] = {most, least, int64_t{0}, SqlValue()};
  const std::string texts[] = {"", "직지", "'; DROP TABLE items; --", "a\nb\\\"$1"};
  for (size_t i = 0; i < 4; ++i) {
    const auto made = db->Run("INSERT INTO items (name, amount) VALUES ($1, $2) RETURNING id",
                              {texts[i], amounts[i]});
    ASSERT_TRUE(made.has_value()) << made.error().ToString();
    EXPECT_EQ(made->Int(0, 0), static_cast<int64_t>(i + 1));
    EXPECT_EQ(made->changed(), 1);
  }
  const auto rows = db->Run("SELECT name, amount FROM items ORDER BY id");
  ASSERT_TRUE(rows.has_value());
  ASSERT_EQ(rows->size(), 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(rows->Text(i, 0), texts[i]);
  EXPECT_EQ(rows->Int(0, 1), most);
  EXPECT_EQ(rows->Int(1, 1), least);
  EXPECT_FALSE(rows->IsNull(2, 1));
  EXPECT_TRUE(rows->IsNull(3, 1));
  // Outside of what there is: NULL.
  EXPECT_TRUE(rows->IsNull(9, 9));
  EXPECT_EQ(
      db->Run("UPDATE items SET amount = $1 WHERE id > $2", {int64_t{1}, int64_t{2}})->changed(),
      2);
}

TEST_P(DatabaseTest, TextIsOrderedByItsBytes) {
  const auto db = Ready();
  for (const char* name : {"나", "a", "B", "가", "_"}) {
    ASSERT_TRUE(db->Run("INSERT INTO items (name) VALUES ($1)", {std::string(name)}));
  }
  const auto rows = db->Run("SELECT name FROM items ORDER BY name");
  std::string order;
  for (size_t i = 0; i < rows->size(); ++i) order += rows->Text(i, 0);
  EXPECT_EQ(order, "B_a가나");
}

TEST_P(DatabaseTest, WhatOnlyOneOfThemWouldTakeIsRefusedByBoth) {
  const auto db = Ready();
  for (const std::string& text : {std::string("a\0b", 3), std::string("\xFF")}) {
    const auto made = db->Run("INSERT INTO items (name) VALUES ($1)", {text});
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_FALSE(db->Run("INSERT INTO items (name, amount) VALUES ($1, $2)",
                       {std::string("n"), std::string("not a number")}));
}

TEST_P(DatabaseTest, ConstraintsAreKept) {
  const auto db = Ready();
  ASSERT_TRUE(db->Run("INSERT INTO items (name) VALUES ('x')"));
  const auto again = db->Run("INSERT INTO items (name) VALUES ('x')");
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kInvalidArgument);
  const auto orphan = db->Run("INSERT INTO parts (item) VALUES (99)");
  ASSERT_FALSE(orphan.has_value());
  EXPECT_EQ(orphan.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(
      db->Run("INSERT INTO items (name) VALUES ('x') ON CONFLICT (name) DO NOTHING")->changed(), 0);
}

TEST_P(DatabaseTest, ATransactionIsAllOrNothing) {
  const auto db = Ready();
  {
    auto transaction = Transaction::Begin(*db);
    ASSERT_TRUE(transaction.has_value());
    ASSERT_TRUE(db->Run("INSERT INTO items (name) VALUES ('dropped')"));
  }
  {
    auto transaction = Transaction::Begin(*db);
    ASSERT_TRUE(transaction.has_value());
    ASSERT_TRUE(db->Run("INSERT INTO items (name) VALUES ('half')"));
    ASSERT_FALSE(db->Run("INSERT INTO items (name) VALUES ('half')"));
  }
  ASSERT_TRUE(InTransaction(*db, [&]() -> Result<> {
    JIKJI_RETURN_IF_ERROR(db->Run("INSERT INTO items (name) VALUES ('kept')"));
    return {};
  }));
  const auto other = Connect();
  const auto rows = other->Run("SELECT name FROM items");
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->Text(0, 0), "kept");
}

// Read, add one, write: with many writers at once nothing is lost, and none is turned away.
TEST_P(DatabaseTest, WritersDoNotLoseEachOthersWork) {
  constexpr int kWriters = 12, kRounds = 40;
  const auto db = Ready();
  ASSERT_TRUE(db->Run("INSERT INTO items (name, amount) VALUES ('sum', 0)"));
  {
    std::vector<std::jthread> writers;
    for (int w = 0; w < kWriters; ++w) {
      writers.emplace_back([&] {
        const auto own = Connect();
        for (int round = 0; round < kRounds; ++round) {
          const auto added = InTransaction(*own, [&]() -> Result<> {
            JIKJI_ASSIGN(const auto read, own->Run("SELECT amount FROM items WHERE name = 'sum'"));
            JIKJI_RETURN_IF_ERROR(
                own->Run("UPDATE items SET amount = $1 WHERE name = 'sum'", {read.Int(0, 0) + 1}));
            return {};
          });
          EXPECT_TRUE(added.has_value()) << added.error().ToString();
        }
      });
    }
  }
  EXPECT_EQ(db->Run("SELECT amount FROM items")->Int(0, 0), kWriters * kRounds);
}

// What the body itself refuses is not another writer's doing, whatever happened before.
TEST_P(DatabaseTest, ARefusalOfTheBodyIsNotTriedAgain) {
  const auto db = Ready();
  int runs = 0;
  const auto refused = InTransaction(*db, [&]() -> Result<> {
    ++runs;
    return Fail(ErrorCode::kInvalidArgument, "no");
  });
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(runs, 1);
}

TEST_P(DatabaseTest, MigrationsAreTakenOnceAndOnlyForward) {
  auto db = Ready();
  ASSERT_TRUE(Migrate(*db, "test", kSchema));
  ASSERT_TRUE(db->Run("INSERT INTO items (name) VALUES ('x')"));
  // A step that fails leaves nothing, and the version where it was.
  const Migration broken[] = {kSchema[0], kSchema[1],
                              "CREATE TABLE late (x @INTEGER) @STRICT; NONSENSE"};
  EXPECT_FALSE(Migrate(*db, "test", broken));
  const Migration mended[] = {kSchema[0], kSchema[1], "CREATE TABLE late (x @INTEGER) @STRICT"};
  ASSERT_TRUE(Migrate(*db, "test", mended));
  EXPECT_EQ(db->Run("SELECT name FROM items")->size(), 1u);
  // An older program.
  const auto older = Migrate(*db, "test", kSchema);
  ASSERT_FALSE(older.has_value());
  EXPECT_THAT(older.error().message, HasSubstr("newer Jikji"));
  // Another module counts for itself.
  const Migration others[] = {"CREATE TABLE others (x @INTEGER) @STRICT"};
  EXPECT_TRUE(Migrate(*db, "other", others));
}

TEST_P(DatabaseTest, ProgramsThatStartTogetherMigrateOnce) {
  std::atomic<int> fine = 0;
  {
    std::vector<std::jthread> programs;
    for (int i = 0; i < 4; ++i) {
      programs.emplace_back([&] {
        const auto own = Connect();
        const auto migrated = Migrate(*own, "test", kSchema);
        EXPECT_TRUE(migrated.has_value()) << migrated.error().ToString();
        fine += migrated.has_value();
      });
    }
  }
  EXPECT_EQ(fine.load(), 4);
}

TEST(DatabaseOpen, SaysWhatAStoreIsAndHidesPasswords) {
  for (const char* url : {"", "sqlite:", "mysql://u:secret@h/d", "postgres:/x"}) {
    const auto opened = Database::Open(url);
    ASSERT_FALSE(opened.has_value()) << url;
    EXPECT_EQ(opened.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(opened.error().ToString().find("secret"), std::string::npos);
  }
  const auto away = Database::Open("postgres://u:secret@127.0.0.1:1/d");
  ASSERT_FALSE(away.has_value());
  EXPECT_EQ(away.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(away.error().ToString().find("secret"), std::string::npos);
}

TEST(SqliteOpen, OnlyTheOwnerReadsTheFile) {
  std::string folder = std::filesystem::temp_directory_path() / "jikji_mode_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  {
    auto db = Database::Open("sqlite:" + folder + "/s.db");
    ASSERT_TRUE(db.has_value());
    ASSERT_TRUE(Migrate(**db, "test", kSchema));
    for (const char* name : {"/s.db", "/s.db-wal"}) {
      struct stat info {};
      ASSERT_EQ(stat((folder + name).c_str(), &info), 0);
      EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
    }
  }
  EXPECT_FALSE(Database::Open("sqlite:" + folder + "/none/s.db"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace jikji
