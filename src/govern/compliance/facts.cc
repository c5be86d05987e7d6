#include "govern/compliance/facts.h"

#include <fmt/format.h>

#include <algorithm>

#include "govern/audit/verify.h"
#include "govern/ledger/calendar.h"
#include "govern/tenancy/acts.h"
#include "govern/tenancy/customers.h"
#include "govern/tenancy/directory.h"

namespace jikji::compliance {
namespace {

constexpr int64_t kMonth = 31 * 86'400;
constexpr int64_t kYear = 365 * 86'400;
constexpr uint64_t kNanoseconds = 1'000'000'000;

std::string Day(int64_t seconds) { return FormatTime(seconds).substr(0, 10); }

class Gatherer {
 public:
  Gatherer(Database& database, const Site& site) : database_(database), site_(site) {}

  Result<std::vector<Fact>> Gather() {
    JIKJI_ASSIGN(directory_, Directory::Load(database_));
    JIKJI_ASSIGN(log_, SummariseLog(site_.audit, 0));
    Add("ai-mark", State::kMet, "X-AI-Generated and ai_generated on every answer");
    Add("ai-notice", State::kPartly,
        "the chat page says it; applications over the API say it themselves");
    Add("human-oversight", State::kOpen, "an organisational measure");
    AddLog();
    AddGuard();
    AddTree();
    JIKJI_RETURN_IF_ERROR(AddActs());
    JIKJI_RETURN_IF_ERROR(AddCustomers());
    return std::move(facts_);
  }

 private:
  void Add(std::string id, State state, std::string evidence) {
    facts_.push_back({std::move(id), state, std::move(evidence)});
  }
  uint64_t Count(const std::string& event) const {
    const auto found = log_.events.find(event);
    return found == log_.events.end() ? 0 : found->second;
  }

  void AddLog() {
    const auto kept = [&](std::string id, State state, std::string evidence) {
      Add(std::move(id), log_.kept ? state : State::kOpen,
          log_.kept ? std::move(evidence) : "no audit log is kept");
    };
    kept("access-log", State::kMet,
         fmt::format("{} admissions, {} refusals, {} of keys", Count("admission.granted"),
                     Count("admission.refused"),
                     Count("authentication.refused") + Count("authentication.failed")));
    kept("log-verifies", log_.faults == 0 ? State::kMet : State::kOpen,
         fmt::format("{} records under {} signed heads, {} faults", log_.records, log_.heads,
                     log_.faults));
    kept("log-kept", State::kMet,
         fmt::format("nothing is deleted from it; the first record is of {}", Day(log_.first)));
    kept("receipts", Count("generation.ended") > 0 ? State::kMet : State::kPartly,
         fmt::format("{} answers with model digest and parameters", Count("generation.ended")));
    kept("erasure", State::kMet,
         fmt::format("content is sealed by tenant; {} certificates of destroyed keys",
                     Count("key.destroyed")));
  }

  void AddGuard() {
    const auto side = [&](std::string id, bool on, const char* what) {
      Add(std::move(id), on ? State::kMet : State::kOpen,
          on ? fmt::format("--guard screens {}", what) : fmt::format("{} are not screened", what));
    };
    side("prompt-guard", site_.guard && !site_.guard->prompt.Idle(), "prompts");
    side("output-guard", site_.guard && !site_.guard->output.Idle(), "answers");
    const auto blocks = [&](guard::PiiKind kind) {
      return site_.guard && site_.guard->prompt.Of(kind) == guard::Action::kBlock;
    };
    const bool blocked =
        blocks(guard::PiiKind::kResidentNumber) && blocks(guard::PiiKind::kForeignerNumber) &&
        blocks(guard::PiiKind::kPassport) && blocks(guard::PiiKind::kDriverLicence);
    Add("identifiers-blocked", blocked ? State::kMet : State::kOpen,
        blocked ? "--guard blocks the four unique identifiers in prompts"
                : "unique identifiers are not blocked: --guard default");
  }

  void AddTree() {
    size_t active = 0, ending = 0, bound = 0;
    for (const auto& [prefix, key] : directory_->keys) {
      if (key.revoked_at || (key.expires_at && *key.expires_at <= site_.now)) continue;
      ++active;
      ending += key.expires_at ? 1 : 0;
      bound += key.networks.empty() ? 0 : 1;
    }
    const auto share = [&](std::string id, size_t some, const char* what) {
      Add(std::move(id),
          some == active ? State::kMet
          : some == 0    ? State::kOpen
                         : State::kPartly,
          fmt::format("{} of {} active keys {}", some, active, what));
    };
    share("key-expiry", ending, "have an end");
    share("networks", bound, "are bound to networks");
    size_t limited = 0;
    for (const RateLimit& limit : directory_->limits) {
      limited += limit.concurrent_requests || limit.requests_per_minute ? 1 : 0;
    }
    Add("limits", limited > 0 ? State::kMet : State::kOpen,
        fmt::format("{} limits, {} budgets", limited, directory_->budgets.size()));
    size_t graded = directory_->model_grades.size();
    for (const auto& [id, organisation] : directory_->organisations) {
      graded += organisation.grade == Grade::kOpen ? 0 : 1;
    }
    Add("grades", State::kMet,
        graded > 0 ? fmt::format("{} organisations and models are graded above O, enforced at "
                                 "admission",
                                 graded)
                   : "everything is of grade O, and admission lets nothing else in");
  }

  Result<> AddActs() {
    const auto latest = [&](const char* event) -> Result<SqlRows> {
      return database_.Run("SELECT COUNT(*), MAX(at) FROM acts WHERE event = $1",
                           {std::string(event)});
    };
    JIKJI_ASSIGN(const SqlRows rights,
                 database_.Run("SELECT COUNT(*), MIN(at) FROM acts WHERE event LIKE 'api_key.%'"));
    Add("rights-history", rights.Int(0, 0) > 0 ? State::kMet : State::kPartly,
        fmt::format("{} acts on keys since {}", rights.Int(0, 0), Day(rights.Int(0, 1))));
    JIKJI_ASSIGN(const SqlRows stops, latest("stop.started"));
    const bool tried = stops.Int(0, 0) > 0 && stops.Int(0, 1) > site_.now - kYear;
    Add("emergency-stop", tried ? State::kMet : State::kPartly,
        tried ? fmt::format("last used or tried on {}", Day(stops.Int(0, 1)))
              : "there is one, not tried for a year: jikji tenant stop all --reason drill");
    JIKJI_ASSIGN(const SqlRows reviews, latest("access.reviewed"));
    const bool reviewed = reviews.Int(0, 0) > 0 && reviews.Int(0, 1) > site_.now - kMonth;
    Add("access-review", reviewed ? State::kMet : State::kOpen,
        reviewed ? fmt::format("reviewed on {}", Day(reviews.Int(0, 1)))
                 : "not reviewed for a month: jikji compliance review");
    return {};
  }

  Result<> AddCustomers() {
    JIKJI_ASSIGN(const bool required, CustomerFilesRequired(database_));
    size_t all = 0, approved = 0;
    for (const auto& [id, organisation] : directory_->organisations) {
      if (organisation.archived_at) continue;
      ++all;
      JIKJI_ASSIGN(const auto customer, ReadCustomer(database_, id));
      approved += customer && customer->approved() ? 1 : 0;
    }
    Add("customer-files",
        !required         ? State::kOpen
        : approved == all ? State::kMet
                          : State::kPartly,
        required ? fmt::format("{} of {} organisations approved by two people", approved, all)
                 : "files are not required: jikji tenant require-files on");
    return {};
  }

  Database& database_;
  const Site& site_;
  std::shared_ptr<const Directory> directory_;
  LogSummary log_;
  std::vector<Fact> facts_;
};

}  // namespace

Result<LogSummary> SummariseLog(const std::filesystem::path& folder, int64_t from) {
  LogSummary summary;
  if (folder.empty() || !std::filesystem::exists(folder)) return summary;
  summary.kept = true;
  audit::VerifyOptions options;
  options.visit = [&](const audit::Record& record, std::string_view, const audit::Hash&) {
    const auto at = static_cast<int64_t>(record.time / kNanoseconds);
    if (summary.first == 0) summary.first = at;
    if (at < from) return;
    ++summary.events[record.event];
    if (record.event != "admission.refused" && record.event != "authentication.refused") return;
    const auto reason = std::ranges::find(record.fields, "reason", &audit::Field::name);
    if (reason != record.fields.end()) ++summary.refusals[reason->value];
  };
  JIKJI_ASSIGN(const audit::VerifyReport report, audit::VerifyLog(folder, std::move(options)));
  summary.records = report.records;
  summary.heads = report.heads;
  summary.faults = report.faults.size();
  return summary;
}

Result<std::vector<Fact>> GatherFacts(Database& database, const Site& site) {
  return Gatherer(database, site).Gather();
}

}  // namespace jikji::compliance
