#include "store/database.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>

#include "base/random.h"
#include "base/utf8.h"
#include "store/postgres.h"
#include "store/sqlite.h"

namespace jikji {
namespace {

// Writers in the way stay for milliseconds: one that loses to others for as long as this means that
// something else is wrong. Not a number of attempts: a dozen writers that all begin anew at once
// lose to each other again and again, and use those up within milliseconds.
constexpr std::chrono::seconds kPatience{15};
// The pause after the first loss, doubled with each one up to the longest, drawn anew each time so
// that those who lost together do not return together.
constexpr double kFirstPause = 500, kLongestPause = 50'000;  // microseconds

// Each thread's own draws: they need not differ from run to run, only from thread to thread.
std::chrono::microseconds DrawPause(int losses) {
  static std::atomic<uint64_t> threads = static_cast<uint64_t>(getpid()) << 32;
  thread_local Random random(++threads);
  const double most = std::min(kLongestPause, std::ldexp(kFirstPause, std::min(losses, 20) - 1));
  return std::chrono::microseconds(static_cast<int64_t>(random.Uniform() * most));
}

const SqlValue& ValueAt(const std::vector<std::vector<SqlValue>>& rows, size_t row, size_t column) {
  static const SqlValue kNull;
  return row < rows.size() && column < rows[row].size() ? rows[row][column] : kNull;
}

}  // namespace

int64_t SqlRows::Int(size_t row, size_t column) const {
  const auto* value = std::get_if<int64_t>(&ValueAt(rows_, row, column));
  return value == nullptr ? 0 : *value;
}

const std::string& SqlRows::Text(size_t row, size_t column) const {
  static const std::string kEmpty;
  const auto* value = std::get_if<std::string>(&ValueAt(rows_, row, column));
  return value == nullptr ? kEmpty : *value;
}

bool SqlRows::IsNull(size_t row, size_t column) const {
  return std::holds_alternative<std::monostate>(ValueAt(rows_, row, column));
}

Result<SqlRows> Database::Run(Sql sql, std::span<const SqlValue> values) {
  for (const SqlValue& value : values) {
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr && (text->find('\0') != std::string::npos || !IsValidUtf8(*text))) {
      return Fail(ErrorCode::kInvalidArgument, "a text must be UTF-8 without NUL");
    }
  }
  return Execute(sql.text(), values);
}

Result<std::unique_ptr<Database>> Database::Open(const std::string& url) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (url.starts_with(kSqlite) && url.size() > kSqlite.size()) {
    return OpenSqlite(url.substr(kSqlite.size()));
  }
  if (url.starts_with("postgres://") || url.starts_with("postgresql://")) return OpenPostgres(url);
  // Not the URL itself: it may hold a password.
  return Fail(ErrorCode::kInvalidArgument,
              "a store is `sqlite:PATH` or `postgres://USER@HOST/DATABASE`");
}

Result<Transaction> Transaction::Begin(Database& database) {
  JIKJI_RETURN_IF_ERROR(database.Begin());
  return Transaction(&database);
}

Transaction::~Transaction() {
  if (database_ != nullptr) database_->Rollback();
}

Result<> Transaction::Commit() {
  Database* database = std::exchange(database_, nullptr);
  auto committed = database->Commit();
  if (!committed) database->Rollback();
  return committed;
}

namespace {

Result<> AttemptTransaction(Database& database, const std::function<Result<>()>& body) {
  JIKJI_ASSIGN(Transaction transaction, Transaction::Begin(database));
  JIKJI_RETURN_IF_ERROR(body());
  return transaction.Commit();
}

}  // namespace

Result<> InTransaction(Database& database, const std::function<Result<>()>& body) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  for (int losses = 1;; ++losses) {
    auto done = AttemptTransaction(database, body);
    if (done || !database.conflicted() || std::chrono::steady_clock::now() >= give_up) return done;
    std::this_thread::sleep_for(DrawPause(losses));
  }
}

}  // namespace jikji
