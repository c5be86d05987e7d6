#include "govern/tenancy/acts.h"

#include <array>

namespace jikji {
namespace {

std::array<SqlValue, 6> ValuesOf(const ActQuery& query) {
  return {query.after, query.before, query.from, query.until, query.organisation, query.limit};
}

std::vector<WrittenAct> ActsOf(const SqlRows& rows) {
  std::vector<WrittenAct> acts(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    WrittenAct& act = acts[i];
    act.id = rows.Int(i, 0);
    act.at = rows.Int(i, 1);
    act.actor = rows.Text(i, 2);
    act.organisation = rows.Int(i, 3);
    act.event = rows.Text(i, 4);
    act.target = rows.Text(i, 5);
    act.detail = rows.Text(i, 6);
  }
  return acts;
}

}  // namespace

Result<> WriteAct(Database& database, int64_t at, const std::string& actor, const Act& act) {
  JIKJI_RETURN_IF_ERROR(
      database.Run("INSERT INTO acts (at, actor, organisation, event, target, detail) VALUES "
                   "($1, $2, $3, $4, $5, $6)",
                   {at, actor, act.organisation, act.event, act.target, act.detail}));
  return {};
}

Result<std::vector<WrittenAct>> ReadActs(Database& database, const ActQuery& query) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("SELECT id, at, actor, organisation, event, target, detail FROM acts "
                            "WHERE id > $1 AND id < $2 AND at >= $3 AND at < $4 AND "
                            "(organisation = $5 OR $5 = -1) ORDER BY id LIMIT $6",
                            ValuesOf(query)));
  return ActsOf(rows);
}

Result<std::vector<WrittenAct>> ReadLatestActs(Database& database, const ActQuery& query) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("SELECT id, at, actor, organisation, event, target, detail FROM acts "
                            "WHERE id > $1 AND id < $2 AND at >= $3 AND at < $4 AND "
                            "(organisation = $5 OR $5 = -1) ORDER BY id DESC LIMIT $6",
                            ValuesOf(query)));
  return ActsOf(rows);
}

Result<int64_t> LastRecordedAct(Database& database, const std::string& server) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("SELECT act FROM recorded_acts WHERE server = $1", {server}));
  return rows.empty() ? 0 : rows.Int(0, 0);
}

Result<> SetRecordedAct(Database& database, const std::string& server, int64_t act) {
  JIKJI_RETURN_IF_ERROR(
      database.Run("INSERT INTO recorded_acts (server, act) VALUES ($1, $2) "
                   "ON CONFLICT (server) DO UPDATE SET act = excluded.act",
                   {server, act}));
  return {};
}

}  // namespace jikji
