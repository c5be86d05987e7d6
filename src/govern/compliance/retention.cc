#include "govern/compliance/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "base/toml.h"
#include "govern/audit/content_seal.h"
#include "govern/ledger/calendar.h"
#include "govern/tenancy/acts.h"

namespace jikji::compliance {
namespace {

constexpr std::array<std::string_view, 3> kKinds = {"content", "usage", "acts"};
constexpr int64_t kDay = 86'400;
constexpr int64_t kMostDays = 100 * 365;

Result<RetentionRule> ReadRule(const toml::table& table, const std::string& where) {
  for (const auto& [key, value] : table) {
    constexpr std::string_view kKeys[] = {"kind", "from", "days", "text", "text_ko"};
    if (std::ranges::find(kKeys, key.str()) == std::end(kKeys)) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("a rule of retention has no key `{}`", key.str()), where);
    }
  }
  RetentionRule rule;
  const auto kind = std::ranges::find(kKinds, table["kind"].value_or(std::string_view()));
  if (kind == kKinds.end()) {
    return Fail(ErrorCode::kInvalidArgument, "`kind` is content, usage or acts", where);
  }
  rule.kind = static_cast<RecordKind>(kind - kKinds.begin());
  JIKJI_ASSIGN(rule.from, ParseDay(table["from"].value_or(std::string_view())));
  rule.days = table["days"].value_or(int64_t{-1});
  if (rule.days < 0 || rule.days > kMostDays) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("`days` is 0 to {}", kMostDays), where);
  }
  rule.text = table["text"].value_or(std::string());
  rule.text_ko = table["text_ko"].value_or(std::string());
  if (rule.text.empty() || rule.text_ko.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "`text` and `text_ko` say why", where);
  }
  return rule;
}

// Before any log of this program.
int64_t FirstMonth() { return ParseDay("2026-01-01").value_or(0); }
int64_t NextMonth(int64_t start) { return WindowStart(Window::kMonth, start + 32 * kDay); }

// Acts that every server's audit log has.
Result<int64_t> LastActOfAll(Database& database) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("SELECT CAST(COALESCE(MIN(act), 0) AS BIGINT) FROM recorded_acts"));
  return rows.Int(0, 0);
}

Result<int64_t> CountRows(Database& database, const Expiry& expiry) {
  if (expiry.rule.kind == RecordKind::kContent) return 0;
  if (expiry.rule.kind == RecordKind::kUsage) {
    JIKJI_ASSIGN(const SqlRows rows,
                 database.Run("SELECT CAST(COUNT(*) AS BIGINT) FROM usage WHERE minute < $1",
                              {expiry.before}));
    return rows.Int(0, 0);
  }
  JIKJI_ASSIGN(const int64_t last, LastActOfAll(database));
  JIKJI_ASSIGN(const SqlRows rows, database.Run("SELECT CAST(COUNT(*) AS BIGINT) FROM acts WHERE "
                                                "at < $1 AND id <= $2",
                                                {expiry.before, last}));
  return rows.Int(0, 0);
}

Result<> Delete(Database& database, const Expiry& expiry, const std::string& actor, int64_t now) {
  if (expiry.rule.kind == RecordKind::kContent) {
    if (expiry.before <= FirstMonth()) return {};
    const std::string detail = fmt::format(R"({{"before":"{}"}})", audit::MonthOf(expiry.before));
    // A run of every day says it once a month.
    JIKJI_ASSIGN(const SqlRows said,
                 database.Run("SELECT 1 FROM acts WHERE event = $1 AND detail = $2",
                              {std::string(kContentExpired), detail}));
    if (!said.empty()) return {};
    return WriteAct(database, now, actor, {std::string(kContentExpired), 0, "content", detail});
  }
  const bool usage = expiry.rule.kind == RecordKind::kUsage;
  SqlRows deleted;
  if (usage) {
    JIKJI_ASSIGN(deleted, database.Run("DELETE FROM usage WHERE minute < $1", {expiry.before}));
  } else {
    JIKJI_ASSIGN(const int64_t last, LastActOfAll(database));
    JIKJI_ASSIGN(deleted, database.Run("DELETE FROM acts WHERE at < $1 AND id <= $2",
                                       {expiry.before, last}));
  }
  if (deleted.changed() == 0) return {};
  return WriteAct(database, now, actor,
                  {usage ? "usage.purged" : "acts.purged", 0, usage ? "usage" : "acts",
                   fmt::format(R"({{"before":{},"rows":{}}})", expiry.before, deleted.changed())});
}

}  // namespace

std::string_view RecordKindName(RecordKind kind) { return kKinds[static_cast<size_t>(kind)]; }

Result<std::vector<RetentionRule>> ReadRetention(std::string_view text, std::string_view where) {
  JIKJI_ASSIGN(const toml::table root, ParseToml(text, where));
  const toml::array* list = root["retention"].as_array();
  if (list == nullptr || root.size() != 1) {
    return Fail(ErrorCode::kInvalidArgument, "holds [[retention]] tables and nothing else",
                std::string(where));
  }
  std::vector<RetentionRule> rules;
  for (const toml::node& node : *list) {
    const std::string at = fmt::format("{}:{}", where, node.source().begin.line);
    const toml::table* table = node.as_table();
    if (table == nullptr) return Fail(ErrorCode::kInvalidArgument, "is no [[retention]] table", at);
    JIKJI_ASSIGN(RetentionRule rule, ReadRule(*table, at));
    const auto same = [&](const RetentionRule& other) {
      return other.kind == rule.kind && other.from == rule.from;
    };
    if (std::ranges::any_of(rules, same)) {
      return Fail(ErrorCode::kInvalidArgument, "two rules of one kind begin on the same day", at);
    }
    rules.push_back(std::move(rule));
  }
  for (size_t kind = 0; kind < kKinds.size(); ++kind) {
    const auto is_kind = [&](const RetentionRule& rule) {
      return rule.kind == static_cast<RecordKind>(kind);
    };
    if (std::ranges::none_of(rules, is_kind)) {
      return Fail(ErrorCode::kInvalidArgument, fmt::format("no rule for `{}`", kKinds[kind]),
                  std::string(where));
    }
  }
  return rules;
}

Result<std::vector<Expiry>> FindExpired(Database& database, const std::vector<RetentionRule>& rules,
                                        int64_t now) {
  std::vector<Expiry> expired;
  for (size_t kind = 0; kind < kKinds.size(); ++kind) {
    const RetentionRule* in_force = nullptr;
    for (const RetentionRule& rule : rules) {
      if (rule.kind != static_cast<RecordKind>(kind) || rule.from > now) continue;
      if (in_force == nullptr || rule.from > in_force->from) in_force = &rule;
    }
    if (in_force == nullptr) continue;  // none yet: it is kept
    Expiry& expiry = expired.emplace_back(Expiry{*in_force, now - in_force->days * kDay, 0});
    // The month in which that day lies is not over.
    if (in_force->kind == RecordKind::kContent) {
      expiry.before = WindowStart(Window::kMonth, expiry.before);
    }
    JIKJI_ASSIGN(expiry.rows, CountRows(database, expiry));
  }
  return expired;
}

Result<> DeleteExpired(Database& database, const std::vector<Expiry>& expired,
                       const std::string& actor, int64_t now) {
  return InTransaction(database, [&]() -> Result<> {
    for (const Expiry& expiry : expired) {
      JIKJI_RETURN_IF_ERROR(Delete(database, expiry, actor, now));
    }
    return {};
  });
}

Result<audit::Position> ExpireContent(audit::Trail& trail, std::string_view detail,
                                      const std::vector<std::string>& tenants) {
  // {"before":"2026-11"}, as Delete writes it.
  constexpr std::string_view kStart = R"({"before":")";
  constexpr size_t kMonthLength = 7;
  if (!detail.starts_with(kStart)) {
    return Fail(ErrorCode::kMalformed, "an act that content expired names no month");
  }
  const std::string before(detail.substr(kStart.size(), kMonthLength));
  JIKJI_ASSIGN(const int64_t end, ParseDay(before + "-01"));
  audit::Position last;
  for (const std::string& tenant : tenants) {
    int64_t keys = 0;
    for (int64_t at = FirstMonth(); at < end; at = NextMonth(at)) {
      JIKJI_ASSIGN(const bool destroyed,
                   audit::DestroyMonth(trail.log().keys(), tenant, audit::MonthOf(at)));
      keys += destroyed ? 1 : 0;
    }
    JIKJI_ASSIGN(
        last, trail.Write(
                  tenant, "content.destroyed",
                  {{"content", "expired"}, {"before", before}, {"months", std::to_string(keys)}}));
  }
  return last;
}

}  // namespace jikji::compliance
