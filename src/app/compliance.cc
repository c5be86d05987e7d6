// `jikji compliance report`: which duty is met by which setting and record. `review`: the accesses
// of a month, noted as reviewed. `retention`: what is past its time, and its deletion.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <map>
#include <utility>

#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/embedded.h"
#include "app/html_page.h"
#include "app/store_settings.h"
#include "app/text_table.h"
#include "base/file.h"
#include "govern/compliance/duty.h"
#include "govern/compliance/facts.h"
#include "govern/compliance/retention.h"
#include "govern/ledger/calendar.h"
#include "govern/schema.h"
#include "govern/tenancy/administration.h"

namespace jikji {
namespace {

using boost::json::array;
using boost::json::object;
using compliance::Finding;
using compliance::State;

constexpr int64_t kReviewDays = 31;
constexpr int64_t kDaySeconds = 86'400;

struct Options {
  StoreSettings store;
  std::string action;
  std::string guard;
  std::string duties;
  std::string note;
  std::string html;
  std::string retention;
  bool apply = false;
  bool json = false;

  void AddTo(Settings& settings) {
    settings.AddPositional("ACTION", &action,
                           {"report, review or retention", "report, review, retention 중 하나"});
    store.AddTo(settings);
    settings.Add("guard", &guard,
                 {"Privacy guard of the servers, as `serve --guard` takes it",
                  "서버의 개인정보 보호 설정(`serve --guard`와 같음)"});
    settings.Add(
        "duties", &duties,
        {"TOML file of duties, instead of the built-in one", "내장 의무 목록 대신 쓸 TOML 파일"});
    settings.Add("note", &note, {"review: what was found", "review: 점검 결과"});
    settings.Add("html", &html, {"Write a page to this file", "이 파일에 페이지를 씀"});
    settings.Add("retention", &retention,
                 {"retention: TOML file of how long what is kept, instead of the built-in one",
                  "retention: 내장 보관 기간 대신 쓸 TOML 파일"});
    settings.Add(
        "apply", &apply,
        {"retention: delete what is past its time", "retention: 보관 기간이 지난 것을 삭제함"});
    settings.Add("json", &json, {"Print JSON", "JSON으로 출력"});
  }
};

std::string_view Shown(State state) {
  constexpr std::string_view kKorean[] = {"충족", "일부", "미결"};
  return Say(compliance::StateName(state), kKorean[static_cast<size_t>(state)]);
}

std::string LawOf(const compliance::Duty& duty) {
  return fmt::format("{} {}", Say(duty.law, duty.law_ko), duty.article);
}

array ToJson(const std::vector<Finding>& findings) {
  array list;
  for (const Finding& finding : findings) {
    array facts;
    for (const compliance::Fact& fact : finding.facts) {
      facts.push_back(object{{"id", fact.id},
                             {"state", compliance::StateName(fact.state)},
                             {"evidence", fact.evidence}});
    }
    list.push_back(object{{"id", finding.duty.id},
                          {"law", finding.duty.law},
                          {"article", finding.duty.article},
                          {"duty", finding.duty.text},
                          {"from", FormatTime(finding.duty.from).substr(0, 10)},
                          {"in_force", finding.in_force},
                          {"state", compliance::StateName(finding.state)},
                          {"facts", std::move(facts)}});
  }
  return list;
}

std::string Page(const std::vector<Finding>& findings, int64_t now) {
  const std::string title(Say("Compliance report", "준수 보고서"));
  HtmlPage page(title);
  page.Heading(title);
  page.Paragraph(FormatTime(now));
  for (const Finding& finding : findings) {
    page.Heading(fmt::format("{}: {}", LawOf(finding.duty), Shown(finding.state)));
    page.Paragraph(Say(finding.duty.text, finding.duty.text_ko));
    std::vector<std::vector<std::string>> rows;
    for (const compliance::Fact& fact : finding.facts) {
      rows.push_back({fact.id, std::string(Shown(fact.state)), fact.evidence});
    }
    page.Table({std::string(Say("fact", "사실")), std::string(Say("state", "상태")),
                std::string(Say("shown by", "근거"))},
               rows);
  }
  return page.Finish();
}

// The operator's file, or the built-in one of that name; and its name for errors.
Result<std::pair<std::string, std::string>> LoadData(const std::string& path,
                                                     std::string_view built_in) {
  if (!path.empty()) {
    JIKJI_ASSIGN(std::string text, ReadFile(path));
    return std::pair(std::move(text), path);
  }
  for (const EmbeddedFile& file : DutyFiles()) {
    if (file.name == built_in) {
      return std::pair(std::string(file.content), std::string(built_in));
    }
  }
  return Fail(ErrorCode::kInternal, fmt::format("the program lacks {}", built_in));
}

Result<> Report(const Options& options, Database& database, const std::string& audit) {
  compliance::Site site{.audit = audit, .guard = {}, .now = SystemClock().WallSeconds()};
  if (!options.guard.empty()) {
    JIKJI_ASSIGN(site.guard, guard::LoadPolicy(options.guard));
  }
  JIKJI_ASSIGN(const auto data, LoadData(options.duties, "duties.toml"));
  JIKJI_ASSIGN(const auto duties, compliance::ReadDuties(data.first, data.second));
  JIKJI_ASSIGN(const auto facts, compliance::GatherFacts(database, site));
  const std::vector<Finding> findings = Judge(duties, facts, site.now);
  if (!options.html.empty()) {
    JIKJI_RETURN_IF_ERROR(WriteFileAtomic(options.html, Page(findings, site.now)));
  }
  if (options.json) {
    fmt::print("{}\n", boost::json::serialize(
                           object{{"at", FormatTime(site.now)}, {"duties", ToJson(findings)}}));
    return {};
  }
  for (const Finding& finding : findings) {
    fmt::print("{}  {}{}\n    {}\n", Shown(finding.state), LawOf(finding.duty),
               finding.in_force ? "" : Say(" (not yet in force)", " (아직 시행 전)"),
               Say(finding.duty.text, finding.duty.text_ko));
    for (const compliance::Fact& fact : finding.facts) {
      fmt::print("    {}  {}: {}\n", Shown(fact.state), fact.id, fact.evidence);
    }
  }
  return {};
}

void PrintCounts(std::string_view title, const std::map<std::string, uint64_t>& counts) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, count] : counts) {
    rows.push_back({fmt::format("  {}", name), std::to_string(count)});
  }
  if (rows.empty()) rows.push_back({std::string(Say("  none", "  없음")), ""});
  fmt::print("\n{}\n{}", title, AlignedRows(rows));
}

Result<> Review(const Options& options, Database& database, const KeyHasher& hasher,
                const std::string& audit) {
  const int64_t from = SystemClock().WallSeconds() - kReviewDays * kDaySeconds;
  JIKJI_ASSIGN(const auto summary, compliance::SummariseLog(audit, from));
  if (!options.json) {
    fmt::print("{}: {}\n{}: {}\n", Say("From", "시작"), FormatTime(from),
               Say("Faults found in the audit log", "감사 로그에서 찾은 손상"), summary.faults);
    PrintCounts(Say("Records, by event", "사건별 기록 수"), summary.events);
    PrintCounts(Say("Refusals, by reason", "이유별 거부 수"), summary.refusals);
    if (options.note.empty()) {
      fmt::print("\n{}\n", Say("Note the review with --note TEXT.",
                               "점검했다는 사실은 --note 내용 으로 남깁니다."));
      return {};
    }
  } else {
    object events, refusals;
    for (const auto& [name, count] : summary.events) events[name] = count;
    for (const auto& [name, count] : summary.refusals) refusals[name] = count;
    fmt::print("{}\n", boost::json::serialize(object{{"from", FormatTime(from)},
                                                     {"faults", summary.faults},
                                                     {"events", std::move(events)},
                                                     {"refusals", std::move(refusals)}}));
  }
  if (options.note.empty()) return {};
  return Administration(database, hasher, SystemClock(), ActorHere()).NoteReview(options.note);
}

Result<> Retention(const Options& options, Database& database) {
  JIKJI_ASSIGN(const auto data, LoadData(options.retention, "retention.toml"));
  JIKJI_ASSIGN(const auto rules, compliance::ReadRetention(data.first, data.second));
  const int64_t now = SystemClock().WallSeconds();
  JIKJI_ASSIGN(const auto expired, compliance::FindExpired(database, rules, now));
  if (options.apply) {
    JIKJI_RETURN_IF_ERROR(compliance::DeleteExpired(database, expired, ActorHere(), now));
  }
  array list;
  for (const compliance::Expiry& expiry : expired) {
    const auto kind = compliance::RecordKindName(expiry.rule.kind);
    const std::string before = FormatTime(expiry.before);
    if (options.json) {
      list.push_back(object{{"kind", kind},
                            {"days", expiry.rule.days},
                            {"before", before},
                            {"rows", expiry.rows},
                            {"deleted", options.apply}});
      continue;
    }
    fmt::print("{}  {}{}\n    {}\n    {} {}, {} {}\n", kind, expiry.rule.days, Say(" days", "일"),
               Say(expiry.rule.text, expiry.rule.text_ko),
               options.apply ? Say("deleted: before", "삭제함: 이 시각 이전")
                             : Say("past its time: before", "기간이 지남: 이 시각 이전"),
               before, expiry.rows, Say("rows", "행"));
  }
  if (options.json) {
    fmt::print("{}\n", boost::json::serialize(
                           object{{"at", FormatTime(now)}, {"retention", std::move(list)}}));
  }
  return {};
}

Result<> Compliance(Options& options) {
  if (options.action != "report" && options.action != "review" && options.action != "retention") {
    return Fail(
        ErrorCode::kInvalidArgument,
        std::string(Say("say jikji compliance report, review or retention",
                        "jikji compliance report, review, retention 중 하나를 적어 주세요")));
  }
  if (options.store.store.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "say where the store is: --store sqlite:PATH");
  }
  JIKJI_ASSIGN(std::string pepper, options.store.ReadPepper());
  JIKJI_ASSIGN(const KeyHasher hasher, KeyHasher::Create(std::move(pepper)));
  JIKJI_ASSIGN(const std::string audit, options.store.AuditPath());
  JIKJI_ASSIGN(const auto database, Database::Open(options.store.store));
  JIKJI_RETURN_IF_ERROR(MigrateGovernance(*database));
  if (options.action == "report") return Report(options, *database, audit);
  if (options.action == "retention") return Retention(options, *database);
  return Review(options, *database, hasher, audit);
}

}  // namespace

void AddComplianceCommand(Program& program) {
  program.Add("compliance",
              Say("Which duty of the law is met by which setting and record",
                  "어느 법적 의무가 어느 설정과 기록으로 충족되는지 보여 줍니다"),
              &Compliance);
}

}  // namespace jikji
