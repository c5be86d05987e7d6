#include "store/database.h"

#include "base/utf8.h"
#include "store/postgres.h"
#include "store/sqlite.h"

namespace jikji {
namespace {

// Writers in the way come one at a time and stay for milliseconds: this many in a row means that
// something else is wrong.
constexpr int kAttempts = 16;

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

Result<> InTransaction(Database& database, const std::function<Result<>()>& body) {
  for (int attempt = 1;; ++attempt) {
    JIKJI_ASSIGN(Transaction transaction, Transaction::Begin(database));
    auto done = body();
    if (done) done = transaction.Commit();
    if (done || !database.conflicted() || attempt == kAttempts) return done;
  }
}

}  // namespace jikji
