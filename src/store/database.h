// Relational state behind one interface: SQLite by default, PostgreSQL by URL.
//
// A Database is one connection, used by one thread at a time. SQL is what both understand:
// parameters are `$1`, `$2`, ...; values are integers, texts and NULL, never floating point
// (promise 6). A statement is a literal of the program by its type, so that nothing a client sends
// can become SQL; each is prepared once per connection.
// Errors: kUnavailable: the database is away, locked, or another writer was in the way (later it
// may work); kResourceExhausted: its disk is full; kInvalidArgument: a constraint refused the
// values. After any error the transaction it stood in is over.
// Non-goals: queries built at run time, floating point, large objects, pools.
#ifndef JIKJI_STORE_DATABASE_H_
#define JIKJI_STORE_DATABASE_H_

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace jikji {

// The text of a statement: only a literal converts to it.
class Sql {
 public:
  consteval Sql(const char* literal)  // NOLINT(google-explicit-constructor)
      : text_(literal) {}
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// NULL, an integer or a UTF-8 text.
using SqlValue = std::variant<std::monostate, int64_t, std::string>;

class SqlRows {
 public:
  size_t size() const { return rows_.size(); }
  bool empty() const { return rows_.empty(); }
  // 0 and "" where the value is NULL. Columns of a strict schema have the type that they were
  // declared with, so asking for the other one is a defect of this program; it reads as NULL.
  int64_t Int(size_t row, size_t column) const;
  const std::string& Text(size_t row, size_t column) const;
  bool IsNull(size_t row, size_t column) const;
  // Rows that an INSERT, UPDATE or DELETE changed.
  int64_t changed() const { return changed_; }

  std::vector<std::vector<SqlValue>> rows_;
  int64_t changed_ = 0;
};

class Database {
 public:
  // `sqlite:PATH` (made where it is absent, readable by its owner only), or a PostgreSQL URL,
  // `postgres://...`.
  static Result<std::unique_ptr<Database>> Open(const std::string& url);
  virtual ~Database() = default;

  // Runs one statement.
  Result<SqlRows> Run(Sql sql, std::initializer_list<SqlValue> values = {}) {
    return Run(sql, std::span(values.begin(), values.size()));
  }
  Result<SqlRows> Run(Sql sql, std::span<const SqlValue> values);

  // The last failure was another writer in the way: the same transaction may succeed if run anew.
  virtual bool conflicted() const = 0;

 protected:
  friend class Transaction;
  friend class Migrator;

  // `values` hold nothing that only one of the databases would take.
  virtual Result<SqlRows> Execute(std::string_view sql, std::span<const SqlValue> values) = 0;

  // Writers are one after another (SQLite), or as if they were (PostgreSQL, serializable).
  virtual Result<> Begin() = 0;
  virtual Result<> Commit() = 0;
  virtual void Rollback() = 0;

  // Statements of a migration, several at once, in the words of this database.
  virtual Result<> RunScript(const std::string& script) = 0;
  // Waits until no other program migrates, and keeps others waiting. Before the transaction: its
  // view of the database begins with its first statement, which must come after the wait.
  virtual Result<> LockSchema() = 0;
  virtual void UnlockSchema() = 0;
  struct Dialect {
    std::string_view id;       // type of a primary key that numbers itself and never reuses
    std::string_view integer;  // 64 bits
    std::string_view text;     // ordered by its bytes
    std::string_view strict;   // what follows the columns of a table
  };
  virtual Dialect dialect() const = 0;
};

// Everything between Begin and Commit, or nothing: rolled back where it is destroyed first.
class Transaction {
 public:
  static Result<Transaction> Begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  // kUnavailable: whether it took place may be unknown, where the connection broke meanwhile.
  Result<> Commit();

 private:
  explicit Transaction(Database* database) : database_(database) {}
  Database* database_;
};

// Runs `body` in a transaction and commits; anew, for up to 15 seconds and with drawn pauses, where
// another writer was in the way.
// `body` must leave no trace outside the database when it is run twice.
Result<> InTransaction(Database& database, const std::function<Result<>()>& body);

}  // namespace jikji

#endif  // JIKJI_STORE_DATABASE_H_
