#include "store/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <unordered_map>

namespace jikji {
namespace {

// How long a statement waits for another writer: many times what any of our transactions takes.
constexpr int kBusyMilliseconds = 5'000;
constexpr int kRetryMilliseconds = 5;

struct Close {
  void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

ErrorCode CodeOf(int status) {
  switch (status & 0xFF) {
    case SQLITE_FULL:
      return ErrorCode::kResourceExhausted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kUnavailable;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
      return ErrorCode::kInvalidArgument;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kMalformed;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return ErrorCode::kInternal;
    default:
      return ErrorCode::kIo;
  }
}

// SQLite would make a file that everyone can read. Made under another name and closed before it
// gets its own: closing a file that another connection of this process has open would drop its
// locks.
Result<> MakeFile(const std::string& path) {
  if (access(path.c_str(), F_OK) == 0) return {};
  std::string made = path + ".XXXXXX";
  const int file = mkostemp(made.data(), O_CLOEXEC);  // mode 0600
  if (file >= 0) close(file);
  const bool linked = file >= 0 && (link(made.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int error = errno;
  if (file >= 0) unlink(made.c_str());
  if (linked) return {};
  return Fail(ErrorCode::kIo, fmt::format("cannot make the database: {}", std::strerror(error)),
              path);
}

class SqliteDatabase : public Database {
 public:
  SqliteDatabase(std::string path, sqlite3* connection)
      : path_(std::move(path)), connection_(connection) {}

  Result<> Prepare() {
    sqlite3_busy_timeout(connection_.get(), kBusyMilliseconds);
    sqlite3_extended_result_codes(connection_.get(), 1);
    sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    // FULL: what was committed outlives a power failure.
    JIKJI_RETURN_IF_ERROR(
        RunScript("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; "
                  "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"));
    // Of two that switch to WAL at once, one is told "busy" without the wait.
    for (int waited = 0;; waited += kRetryMilliseconds) {
      auto switched = RunScript("PRAGMA journal_mode = WAL");
      if (switched || !conflicted_ || waited >= kBusyMilliseconds) return switched;
      sqlite3_sleep(kRetryMilliseconds);
    }
  }

  Result<SqlRows> Execute(std::string_view sql, std::span<const SqlValue> values) override {
    JIKJI_ASSIGN(sqlite3_stmt * statement, Statement(sql));
    auto rows = Step(statement, values);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return rows;
  }

  bool conflicted() const override { return conflicted_; }

 protected:
  // The lock is taken at once: two that read before they write would wait for each other.
  Result<> Begin() override {
    conflicted_ = false;
    return RunScript("BEGIN IMMEDIATE");
  }
  Result<> Commit() override { return RunScript("COMMIT"); }
  void Rollback() override {
    // Some errors end the transaction by themselves.
    if (sqlite3_get_autocommit(connection_.get()) == 0) {
      sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
  }

  Result<> RunScript(const std::string& script) override {
    const int status = sqlite3_exec(connection_.get(), script.c_str(), nullptr, nullptr, nullptr);
    if (status != SQLITE_OK) return Failure(status);
    return {};
  }
  // BEGIN IMMEDIATE keeps others waiting already.
  Result<> LockSchema() override { return {}; }
  void UnlockSchema() override {}
  Dialect dialect() const override {
    return {"INTEGER PRIMARY KEY AUTOINCREMENT", "INTEGER", "TEXT", "STRICT"};
  }

 private:
  std::unexpected<Error> Failure(int status) {
    const ErrorCode code = CodeOf(status);
    conflicted_ = code == ErrorCode::kUnavailable;
    return Fail(code, fmt::format("the database refused: {}", sqlite3_errmsg(connection_.get())),
                path_);
  }

  Result<sqlite3_stmt*> Statement(std::string_view sql) {
    auto& statement = statements_[sql];
    if (statement == nullptr) {
      sqlite3_stmt* made = nullptr;
      const int status =
          sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                             SQLITE_PREPARE_PERSISTENT, &made, nullptr);
      if (status != SQLITE_OK) return Failure(status);
      statement.reset(made);
    }
    return statement.get();
  }

  Result<> Bind(sqlite3_stmt* statement, std::span<const SqlValue> values) {
    for (size_t i = 0; i < values.size(); ++i) {
      const std::string name = "$" + std::to_string(i + 1);
      const int index = sqlite3_bind_parameter_index(statement, name.c_str());
      if (index == 0) continue;  // PostgreSQL, too, lets a value go unused
      int status = SQLITE_OK;
      if (const auto* number = std::get_if<int64_t>(&values[i])) {
        status = sqlite3_bind_int64(statement, index, *number);
      } else if (const auto* text = std::get_if<std::string>(&values[i])) {
        status = sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_TRANSIENT,
                                     SQLITE_UTF8);
      } else {
        status = sqlite3_bind_null(statement, index);
      }
      if (status != SQLITE_OK) return Failure(status);
    }
    return {};
  }

  Result<SqlRows> Step(sqlite3_stmt* statement, std::span<const SqlValue> values) {
    JIKJI_RETURN_IF_ERROR(Bind(statement, values));
    SqlRows rows;
    const int columns = sqlite3_column_count(statement);
    int status = SQLITE_ROW;
    while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
      auto& row = rows.rows_.emplace_back();
      for (int column = 0; column < columns; ++column) row.push_back(Column(statement, column));
    }
    if (status != SQLITE_DONE) return Failure(status);
    rows.changed_ =
        sqlite3_stmt_readonly(statement) != 0 ? 0 : sqlite3_changes64(connection_.get());
    return rows;
  }

  static SqlValue Column(sqlite3_stmt* statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
      case SQLITE_NULL:
        return {};
      case SQLITE_INTEGER:
        return sqlite3_column_int64(statement, column);
      default: {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
        const auto size = static_cast<size_t>(sqlite3_column_bytes(statement, column));
        return text == nullptr ? std::string() : std::string(text, size);
      }
    }
  }

  const std::string path_;
  bool conflicted_ = false;
  std::unique_ptr<sqlite3, Close> connection_;
  // By the literal's text.
  std::unordered_map<std::string_view, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

}  // namespace

Result<std::unique_ptr<Database>> OpenSqlite(const std::string& path) {
  JIKJI_RETURN_IF_ERROR(MakeFile(path));
  sqlite3* connection = nullptr;
  const int status =
      sqlite3_open_v2(path.c_str(), &connection,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  auto database = std::make_unique<SqliteDatabase>(path, connection);
  if (status != SQLITE_OK) {
    return Fail(CodeOf(status), fmt::format("cannot open the database: {}", sqlite3_errstr(status)),
                path);
  }
  JIKJI_RETURN_IF_ERROR(database->Prepare());
  return database;
}

}  // namespace jikji
