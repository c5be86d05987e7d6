#include "store/migrations.h"

#include <fmt/format.h>

#include <utility>

namespace jikji {

// A friend of Database: migrations are the only SQL that is not a literal where it is run.
class Migrator {
 public:
  explicit Migrator(Database& database) : database_(database) {}
  ~Migrator() { database_.UnlockSchema(); }

  Result<> WaitForOthers() { return database_.LockSchema(); }

  Result<> MakeVersions() {
    return InTransaction(database_, [&] {
      return database_.RunScript(
          Worded("CREATE TABLE IF NOT EXISTS schema_versions ("
                 "module @TEXT PRIMARY KEY, version @INTEGER NOT NULL) @STRICT"));
    });
  }

  // The version after this step; `steps.size()` when there is nothing left to do.
  Result<size_t> Next(std::string_view module, std::span<const Migration> steps) {
    size_t version = 0;
    JIKJI_RETURN_IF_ERROR(InTransaction(database_, [&]() -> Result<> {
      const std::string name(module);
      JIKJI_ASSIGN(const SqlRows rows,
                   database_.Run("SELECT version FROM schema_versions WHERE module = $1", {name}));
      version = rows.empty() ? 0 : static_cast<size_t>(rows.Int(0, 0));
      if (version > steps.size()) {
        return Fail(ErrorCode::kUnsupported,
                    fmt::format("the database has version {} of `{}`, and this program knows {}: "
                                "it was made by a newer Jikji",
                                version, module, steps.size()));
      }
      if (version == steps.size()) return {};
      JIKJI_RETURN_IF_ERROR(database_.RunScript(Worded(steps[version])));
      ++version;
      JIKJI_RETURN_IF_ERROR(
          database_.Run("INSERT INTO schema_versions (module, version) VALUES ($1, $2) "
                        "ON CONFLICT (module) DO UPDATE SET version = excluded.version",
                        {name, static_cast<int64_t>(version)}));
      return {};
    }));
    return version;
  }

 private:
  std::string Worded(std::string_view script) const {
    const Database::Dialect dialect = database_.dialect();
    const std::pair<std::string_view, std::string_view> words[] = {{"@ID", dialect.id},
                                                                   {"@INTEGER", dialect.integer},
                                                                   {"@TEXT", dialect.text},
                                                                   {"@STRICT", dialect.strict}};
    std::string out(script);
    for (const auto& [word, meaning] : words) {
      for (size_t at = out.find(word); at != std::string::npos;
           at = out.find(word, at + meaning.size())) {
        out.replace(at, word.size(), meaning);
      }
    }
    return out;
  }

  Database& database_;
};

Result<> Migrate(Database& database, std::string_view module, std::span<const Migration> steps) {
  Migrator migrator(database);
  JIKJI_RETURN_IF_ERROR(migrator.WaitForOthers());
  JIKJI_RETURN_IF_ERROR(migrator.MakeVersions());
  for (size_t version = 0; version < steps.size();) {
    JIKJI_ASSIGN(version, migrator.Next(module, steps));
  }
  return {};
}

}  // namespace jikji
