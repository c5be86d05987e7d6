// /v1/organization/audit_logs: acts of administration, newest first, in OpenAI's shape. A caller
// sees those of its organisation, an operator all.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>

#include "api/handlers.h"
#include "api/query.h"
#include "base/json.h"
#include "govern/tenancy/acts.h"

namespace jikji {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr int64_t kMostActs = 100;
constexpr int64_t kUsualActs = 20;
constexpr int64_t kLatest = int64_t{1} << 40;
constexpr std::string_view kStart = "audit_log-";

object Shown(const WrittenAct& act) {
  object shown{{"id", fmt::format("{}{}", kStart, act.id)},
               {"type", act.event},
               {"effective_at", act.at},
               {"actor", {{"type", "api_key"}, {"id", act.actor}}}};
  object detail{{"id", act.target}};
  if (auto parsed = ParseJson(act.detail)) detail["data"] = std::move(*parsed);
  shown[act.event] = std::move(detail);
  return shown;
}

// "audit_log-12", where a page ended.
ApiResult<std::optional<int64_t>> ParseAfter(const Query& query) {
  const auto after = query.Find("after");
  if (!after) return std::nullopt;
  int64_t id = 0;
  if (after->starts_with(kStart)) {
    const char* const end = after->data() + after->size();
    if (std::from_chars(after->data() + kStart.size(), end, id).ptr == end && id > 0) return id;
  }
  return BadField("after", "is the id of the last event of a page");
}

ApiResult<ActQuery> ReadQuestion(const Call& call, int64_t& limit) {
  const ApiKey& key = call.caller->key();
  const Query given(call.request.query);
  ActQuery query;
  query.organisation = key.role == Role::kOperator ? -1 : key.organisation;
  JIKJI_ASSIGN(const auto wanted, given.Int("limit", 1, kMostActs));
  limit = wanted.value_or(kUsualActs);
  query.limit = limit + 1;  // one more tells whether there are more
  JIKJI_ASSIGN(const auto from, given.Int("effective_at[gte]", 0, kLatest));
  JIKJI_ASSIGN(const auto until, given.Int("effective_at[lt]", 0, kLatest));
  JIKJI_ASSIGN(const auto after, ParseAfter(given));
  query.from = from.value_or(0);
  query.until = until.value_or(kLatest);
  query.before = after.value_or(INT64_MAX);
  return query;
}

}  // namespace

void OrganizationAuditLogs(Call& call) {
  Governor* governor = call.context->options.governor;
  if (governor == nullptr) {
    return call.reply.SendError(ErrorOfStatus(404, "this server keeps no organisations"));
  }
  int64_t limit = 0;
  const auto query = ReadQuestion(call, limit);
  if (!query) return call.reply.SendError(query.error());
  std::vector<WrittenAct> acts;
  const auto done = governor->WithDatabase([&](Database& database) -> Result<> {
    JIKJI_ASSIGN(acts, ReadLatestActs(database, *query));
    return {};
  });
  if (!done) return call.reply.SendError(ApiError(done.error()));
  const bool more = static_cast<int64_t>(acts.size()) > limit;
  if (more) acts.pop_back();
  array data;
  for (const WrittenAct& act : acts) data.push_back(Shown(act));
  const value first = data.empty() ? value(nullptr) : data.front().at("id");
  const value last = data.empty() ? value(nullptr) : data.back().at("id");
  call.reply.SendJson(boost::json::serialize(object{{"object", "list"},
                                                    {"data", std::move(data)},
                                                    {"first_id", first},
                                                    {"last_id", last},
                                                    {"has_more", more}}));
}

}  // namespace jikji
