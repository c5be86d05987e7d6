#include "store/postgres.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <charconv>
#include <optional>
#include <unordered_map>

namespace jikji {
namespace {

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, Clear>;

// Of the types that our schema has (pg_type.h); all others are texts to us.
constexpr Oid kInt8 = 20, kInt2 = 21, kInt4 = 23;

// Seconds, where the URL does not say: a server that is away must not hold a thread for long.
constexpr const char* kConnectTimeout = "5";
// A server whose machine has vanished sends no reset: unanswered bytes end the connection.
constexpr const char* kTcpUserTimeout = "10000";

constexpr const char* kBegin = "BEGIN ISOLATION LEVEL SERIALIZABLE";

// Any number that no one else takes: "jikji" in bytes.
constexpr int64_t kSchemaLock = 0x6a696b6a69;

ErrorCode CodeOf(std::string_view state) {
  if (state.empty() || state.starts_with("08") || state.starts_with("57P") ||
      state.starts_with("40") || state == "53300") {
    return ErrorCode::kUnavailable;
  }
  if (state.starts_with("53")) return ErrorCode::kResourceExhausted;
  if (state.starts_with("23") || state.starts_with("22")) return ErrorCode::kInvalidArgument;
  if (state.starts_with("28") || state.starts_with("42501")) return ErrorCode::kPermissionDenied;
  return ErrorCode::kInternal;
}

std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

class PostgresDatabase : public Database {
 public:
  explicit PostgresDatabase(std::string url) : url_(std::move(url)) {}

  Result<> Connect() {
    statements_.clear();
    in_transaction_ = false;
    // The URL comes second, so that what it says wins.
    const char* const keys[] = {"connect_timeout", "tcp_user_timeout", "dbname", "application_name",
                                nullptr};
    const char* const values[] = {kConnectTimeout, kTcpUserTimeout, url_.c_str(), "jikji", nullptr};
    connection_.reset(PQconnectdbParams(keys, values, 1));
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
      const std::string why = FirstLine(PQerrorMessage(connection_.get()));
      connection_.reset();
      return Fail(ErrorCode::kUnavailable, fmt::format("cannot reach the database: {}", why),
                  "PostgreSQL");
    }
    PQsetNoticeReceiver(
        connection_.get(), [](void*, const PGresult*) {}, nullptr);
    return {};
  }

  Result<SqlRows> Execute(std::string_view sql, std::span<const SqlValue> values) override {
    JIKJI_RETURN_IF_ERROR(Reach());
    JIKJI_ASSIGN(const std::string name, Statement(sql));
    std::vector<std::string> numbers(values.size());
    std::vector<const char*> given(values.size(), nullptr);
    for (size_t i = 0; i < values.size(); ++i) {
      if (const auto* number = std::get_if<int64_t>(&values[i])) {
        numbers[i] = std::to_string(*number);
        given[i] = numbers[i].c_str();
      } else if (const auto* text = std::get_if<std::string>(&values[i])) {
        given[i] = text->c_str();
      }
    }
    const PgResult result(PQexecPrepared(connection_.get(), name.c_str(),
                                         static_cast<int>(values.size()), given.data(), nullptr,
                                         nullptr, 0));
    JIKJI_RETURN_IF_ERROR(Check(result.get()));
    return Read(result.get());
  }

  bool conflicted() const override { return conflicted_; }

 protected:
  Result<> Begin() override {
    JIKJI_RETURN_IF_ERROR(Reach());
    auto begun = RunScript(kBegin);
    if (!begun && PQstatus(connection_.get()) != CONNECTION_OK) {
      // It broke while nothing was asked of it: nothing is lost by asking again.
      JIKJI_RETURN_IF_ERROR(Connect());
      begun = RunScript(kBegin);
    }
    in_transaction_ = begun.has_value();
    return begun;
  }
  Result<> Commit() override {
    auto committed = RunScript("COMMIT");
    in_transaction_ = false;
    return committed;
  }
  void Rollback() override {
    in_transaction_ = false;
    if (connection_ != nullptr && PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) {
      const bool conflicted = conflicted_;  // of what led here
      (void)RunScript("ROLLBACK");
      conflicted_ = conflicted;
    }
  }

  Result<> RunScript(const std::string& script) override {
    if (connection_ == nullptr) return Broken();
    const PgResult result(PQexec(connection_.get(), script.c_str()));
    return Check(result.get());
  }
  Result<> LockSchema() override {
    return RunScript(fmt::format("SELECT pg_advisory_lock({})", kSchemaLock));
  }
  void UnlockSchema() override {
    (void)RunScript(fmt::format("SELECT pg_advisory_unlock({})", kSchemaLock));
  }
  Dialect dialect() const override {
    return {"BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "BIGINT", "TEXT COLLATE \"C\"", ""};
  }

 private:
  static std::unexpected<Error> Broken() {
    return Fail(ErrorCode::kUnavailable, "the connection to the database broke", "PostgreSQL");
  }

  // A connection that works, so far as is known.
  Result<> Reach() {
    conflicted_ = false;
    if (connection_ != nullptr && PQstatus(connection_.get()) == CONNECTION_OK) return {};
    if (in_transaction_) return Broken();
    return Connect();
  }

  Result<> Check(const PGresult* result) {
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return {};
    const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const std::string state = field == nullptr ? "" : field;
    conflicted_ = state == "40001" || state == "40P01";
    return Fail(
        CodeOf(state),
        fmt::format("the database refused: {}", FirstLine(PQerrorMessage(connection_.get()))),
        "PostgreSQL");
  }

  Result<std::string> Statement(std::string_view sql) {
    const auto known = statements_.find(sql);
    if (known != statements_.end()) return known->second;
    std::string name = fmt::format("s{}", statements_.size());
    const PgResult result(
        PQprepare(connection_.get(), name.c_str(), std::string(sql).c_str(), 0, nullptr));
    JIKJI_RETURN_IF_ERROR(Check(result.get()));
    return statements_.emplace(sql, std::move(name)).first->second;
  }

  static Result<SqlRows> Read(const PGresult* result) {
    SqlRows rows;
    const int columns = PQnfields(result);
    for (int r = 0; r < PQntuples(result); ++r) {
      auto& row = rows.rows_.emplace_back();
      for (int c = 0; c < columns; ++c) {
        const std::string_view text(PQgetvalue(result, r, c),
                                    static_cast<size_t>(PQgetlength(result, r, c)));
        const Oid type = PQftype(result, c);
        if (PQgetisnull(result, r, c) != 0) {
          row.emplace_back();
        } else if (type == kInt8 || type == kInt4 || type == kInt2) {
          int64_t number = 0;
          std::from_chars(text.data(), text.data() + text.size(), number);
          row.emplace_back(number);
        } else {
          row.emplace_back(std::string(text));
        }
      }
    }
    const std::string_view changed = PQcmdTuples(const_cast<PGresult*>(result));
    if (columns == 0) {
      std::from_chars(changed.data(), changed.data() + changed.size(), rows.changed_);
    } else {
      rows.changed_ = static_cast<int64_t>(rows.size());  // RETURNING
    }
    return rows;
  }

  const std::string url_;
  bool conflicted_ = false;
  bool in_transaction_ = false;
  std::unique_ptr<PGconn, Finish> connection_;
  std::unordered_map<std::string_view, std::string> statements_;  // text to its name there
};

}  // namespace

Result<std::unique_ptr<Database>> OpenPostgres(const std::string& url) {
  auto database = std::make_unique<PostgresDatabase>(url);
  JIKJI_RETURN_IF_ERROR(database->Connect());
  return database;
}

}  // namespace jikji
