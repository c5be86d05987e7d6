#include "govern/governor.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <set>
#include <utility>

#include "base/log.h"
#include "govern/compliance/retention.h"
#include "govern/ledger/usage.h"
#include "govern/schema.h"
#include "govern/tenancy/administration.h"

namespace jikji {
namespace {

// Requests of one transaction: some thousand rows at most, far below a second.
constexpr size_t kBatch = 16'384;
// Acts that are read from the store at once.
constexpr int64_t kActsAtOnce = 256;

constexpr std::string_view kInvalidKey = "invalid_api_key";

// Priorities within one service class.
constexpr int32_t kClassStep = 1000;

std::unexpected<Refusal> Deny(ErrorCode code, std::string message, std::string reason) {
  return std::unexpected(Refusal({code, std::move(message), {}}, std::move(reason)));
}

std::unexpected<Refusal> Unrecorded(const Error& error) {
  Refusal refusal(
      {ErrorCode::kUnavailable, "the audit log cannot be written: " + error.message, {}},
      "audit_unavailable", 1);
  return std::unexpected(std::move(refusal));
}

// The record is the certificate: it stands in the log that holds the content, under a signed head.
Result<audit::Position> EraseContent(audit::Trail& trail, const std::string& tenant) {
  const auto destroyed = trail.log().keys().Destroy(tenant);
  // None was ever made, or it was destroyed before: nothing can be read either way.
  if (!destroyed && destroyed.error().code != ErrorCode::kNotFound) {
    return std::unexpected(destroyed.error());
  }
  return trail.Write(tenant, "key.destroyed",
                     {{"content", destroyed ? "erased" : "there was none"}});
}

// Of the audit log: each organisation, and the site.
std::vector<std::string> TenantsOf(const Directory& directory) {
  std::vector<std::string> tenants = {audit::TenantName(0)};
  for (const auto& [id, organisation] : directory.organisations) {
    tenants.push_back(audit::TenantName(id));
  }
  return tenants;
}

}  // namespace

// One door, one record: what is decided here is written down before anyone acts on it.
std::expected<Ticket, Refusal> Caller::Admit(const AdmissionRequest& request) {
  auto ticket = Decide(request);
  audit::Trail* trail = governor_.trail();
  if (trail == nullptr) return ticket;
  const auto written = trail->Write(
      audit_tenant(), ticket ? "admission.granted" : "admission.refused",
      {{"request", request.request},
       {"key", std::to_string(key_->id)},
       {"project", std::to_string(key_->project)},
       {"model", request.model},
       {"grade", GradeName(key_->grade)},
       {"prompt_tokens", std::to_string(request.prompt_tokens)},
       {"max_output_tokens",
        std::to_string(ticket ? ticket->max_output_tokens() : request.max_output_tokens)},
       {"reason", ticket ? std::string_view() : std::string_view(ticket.error().reason)}});
  if (!written) return Unrecorded(written.error());
  return ticket;
}

std::expected<Ticket, Refusal> Caller::Decide(const AdmissionRequest& request) {
  if (request.prompt_tokens < 0 || request.max_output_tokens < 0 || request.choices < 1) {
    return std::unexpected(
        Refusal({ErrorCode::kInvalidArgument, "token counts of a request cannot be negative", {}}));
  }
  if (const std::string* reason = directory_->FindStop(key_->organisation, request.model)) {
    return Deny(ErrorCode::kUnavailable, fmt::format("stopped by the operator: {}", *reason),
                "emergency_stop");
  }
  if (!MayUse(request.model)) {
    return std::unexpected(
        Refusal({ErrorCode::kNotFound, fmt::format("The model `{}` does not exist.", request.model),
                 "model"},
                "model_not_found"));
  }
  if (std::string why =
          directory_->WhyNotGraded(*key_, request.model, governor_.options_.log_grade);
      !why.empty()) {
    return Deny(ErrorCode::kPermissionDenied, std::move(why), "grade_not_allowed");
  }
  const Demand demand{.key = *key_,
                      .model = request.model,
                      .prompt_tokens = request.prompt_tokens,
                      .max_output_tokens = request.max_output_tokens,
                      .choices = request.choices,
                      .prices = directory_->FindPrices(request.model, key_->currency,
                                                       governor_.options_.clock->WallSeconds())};
  auto grant = governor_.ledger_->Reserve(demand, status_);
  if (!grant) return std::unexpected(std::move(grant.error()));
  AdmissionRequest granted = request;
  granted.tenant = "proj-" + std::to_string(key_->project);
  granted.max_output_tokens = grant->max_output_tokens;
  // Whoever shares no project and grade shares no page; what the client adds divides further.
  granted.cache_salt = fmt::format(FMT_COMPILE("{}/{}/{}"), key_->project, GradeName(key_->grade),
                                   request.cache_salt);
  // The class decides between tenants. Within it a client may step back, never ahead.
  granted.priority = kClassStep * static_cast<int32_t>(directory_->ClassOf(*key_)) +
                     std::clamp(request.priority, 0, kClassStep - 1);
  return Make(granted, std::move(grant->meter));
}

Result<std::unique_ptr<Governor>> Governor::Open(GovernorOptions options) {
  JIKJI_ASSIGN(KeyHasher hasher, KeyHasher::Create(options.pepper));
  std::unique_ptr<Governor> governor(new Governor(std::move(options), std::move(hasher)));
  JIKJI_RETURN_IF_ERROR(governor->Start());
  return governor;
}

Result<> Governor::Start() {
  JIKJI_ASSIGN(database_, Database::Open(options_.store));
  JIKJI_RETURN_IF_ERROR(MigrateGovernance(*database_));
  JIKJI_RETURN_IF_ERROR(
      Administration(*database_, hasher_, *options_.clock, "server").CheckPepper());
  JIKJI_ASSIGN(journal_, Journal::Open(options_.journal));
  JIKJI_ASSIGN(auto slice_database, Database::Open(options_.store));
  slices_ = std::make_unique<SliceSource>(std::move(slice_database), journal_->server());
  ledger_ = std::make_unique<Ledger>(*options_.clock, *journal_, *slices_);
  if (!options_.audit.empty()) {
    JIKJI_ASSIGN(trail_, audit::Trail::Open(options_.audit));
    JIKJI_ASSIGN(last_act_, LastRecordedAct(*database_, journal_->server()));
  }

  JIKJI_ASSIGN(last_batch_, LastBatch(*database_, journal_->server()));
  const size_t cut_off = journal_->Replay(last_batch_);
  if (cut_off > 0) {
    Log(LogLevel::kWarning,
        fmt::format("{} requests were cut off by the last stop; what they used is charged",
                    cut_off));
  }
  if (journal_->damaged() > 0) {
    Log(LogLevel::kWarning,
        fmt::format("{} records of the journal did not reach the disk whole", journal_->damaged()));
  }
  while (journal_->unfinished() > 0) JIKJI_RETURN_IF_ERROR(WriteUsage());
  JIKJI_RETURN_IF_ERROR(Refresh());
  JIKJI_RETURN_IF_ERROR(RecordActs());
  JIKJI_RETURN_IF_ERROR(ledger_->PrepareJournal());
  if (options_.interval.count() > 0) {
    thread_ = std::jthread([this](const std::stop_token& stop) { Work(stop); });
  }
  return {};
}

Governor::~Governor() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  // All that this server was asked to do is over; whatever the store refuses now waits in the
  // journal.
  if (ledger_ != nullptr && ledger_->settled() + batch_.size() > 0) (void)Tick();
}

void Governor::Work(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  bool well = true;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex);
      wake.wait_for(lock, stop, options_.interval, [] { return false; });
    }
    const auto done = Tick();
    // Once when it begins and once when it ends, not five times a second.
    if (done.has_value() != well) {
      Log(well ? LogLevel::kError : LogLevel::kInfo,
          well ? "governance: " + done.error().ToString() : "governance: the store is back");
    }
    well = done.has_value();
  }
}

Result<> Governor::Tick() {
  const auto refreshed = Refresh();
  // In every round: a call may have been admitted just before the stop, and added just after.
  Enforce();
  const std::lock_guard lock(database_mutex_);
  // Marked first, so that the disk knows of a batch before the store does; to the disk it goes even
  // where the store is away.
  if (batch_.empty()) batch_ = ledger_->TakeBatch(last_batch_ + 1, kBatch);
  const auto synced = journal_->Sync();
  const auto prepared = ledger_->PrepareJournal();
  do {
    JIKJI_RETURN_IF_ERROR(WriteUsage());
  } while (ledger_->settled() >= kBatch);
  JIKJI_RETURN_IF_ERROR(FindOverSoft());
  JIKJI_RETURN_IF_ERROR(RecordActs());
  JIKJI_RETURN_IF_ERROR(refreshed);
  JIKJI_RETURN_IF_ERROR(synced);
  return prepared;
}

Result<> Governor::Refresh() {
  const std::lock_guard lock(database_mutex_);
  JIKJI_ASSIGN(const int64_t generation, Directory::Generation(*database_));
  const auto current = directory();
  if (current == nullptr || current->generation != generation) {
    JIKJI_ASSIGN(auto loaded, Directory::Load(*database_));
    JIKJI_RETURN_IF_ERROR(ledger_->Sync(*loaded));
    const std::lock_guard swap(directory_mutex_);
    directory_ = std::move(loaded);
  }
  last_answer_ = options_.clock->SteadyMicroseconds();
  return {};
}

// Under database_mutex_, or before the thread starts.
Result<> Governor::WriteUsage() {
  if (batch_.empty()) batch_ = ledger_->TakeBatch(last_batch_ + 1, kBatch);
  if (batch_.empty()) return {};
  JIKJI_RETURN_IF_ERROR(WriteBatch(*database_, journal_->server(), last_batch_ + 1, batch_));
  ++last_batch_;
  ledger_->FinishBatch(std::exchange(batch_, {}));
  return {};
}

Result<> Governor::FindOverSoft() {
  const auto known = directory();
  std::set<int64_t> over;
  for (const Budget& budget : known->budgets) {
    if (budget.hard) continue;
    JIKJI_ASSIGN(
        const SqlRows spent,
        database_->Run("SELECT CAST(COALESCE(SUM(settled), 0) AS BIGINT) "
                       "FROM budget_slices WHERE budget = $1 AND window_start = $2",
                       {budget.id, WindowStart(budget.window, options_.clock->WallSeconds())}));
    if (spent.Int(0, 0) >= budget.amount) over.insert(budget.id);
  }
  ledger_->SetOverSoft(std::move(over));
  return {};
}

// Under database_mutex_, or before the thread starts. An act that was recorded just before a crash
// may be recorded again; its number tells.
Result<> Governor::RecordActs() {
  if (trail_ == nullptr) return {};
  JIKJI_RETURN_IF_ERROR(trail_->Flush());
  for (;;) {
    JIKJI_ASSIGN(const auto acts, ReadActs(*database_, {.after = last_act_, .limit = kActsAtOnce}));
    if (acts.empty()) return {};
    audit::Position last;
    for (const WrittenAct& act : acts) {
      JIKJI_ASSIGN(last, trail_->Write(audit::TenantName(act.organisation), act.event,
                                       {{"act", std::to_string(act.id)},
                                        {"at", std::to_string(act.at)},
                                        {"actor", act.actor},
                                        {"target", act.target},
                                        {"detail", act.detail}}));
      if (act.event == kContentErased) {
        JIKJI_ASSIGN(last, EraseContent(*trail_, audit::TenantName(act.organisation)));
      }
      if (act.event == compliance::kContentExpired) {
        JIKJI_ASSIGN(last, compliance::ExpireContent(*trail_, act.detail, TenantsOf(*directory())));
      }
    }
    JIKJI_RETURN_IF_ERROR(trail_->log().WaitDurable(last.index));
    JIKJI_RETURN_IF_ERROR(SetRecordedAct(*database_, journal_->server(), acts.back().id));
    last_act_ = acts.back().id;
  }
}

Result<> Governor::WithDatabase(const std::function<Result<>(Database&)>& work) {
  const std::lock_guard lock(database_mutex_);
  return work(*database_);
}

void Governor::OnRound(std::function<void(const Directory&)> call) {
  const std::lock_guard lock(directory_mutex_);
  on_round_ = std::move(call);
}

void Governor::Enforce() {
  const auto known = directory();
  running_calls_.Enforce(*known);
  if (known->stops.empty() && told_generation_.exchange(known->generation) == known->generation) {
    return;
  }
  std::function<void(const Directory&)> call;
  {
    const std::lock_guard lock(directory_mutex_);
    call = on_round_;
  }
  if (call) call(*known);
}

std::shared_ptr<const Directory> Governor::directory() const {
  const std::lock_guard lock(directory_mutex_);
  return directory_;
}

std::expected<std::shared_ptr<Caller>, Refusal> Governor::Authenticate(std::string_view token,
                                                                       std::string_view peer,
                                                                       Right right) const {
  // Keeps the key alive that a refusal names.
  const auto directory = this->directory();
  const ApiKey* key = nullptr;
  auto caller = Recognise(token, peer, right, directory, key);
  if (caller || trail_ == nullptr) return caller;
  if (key == nullptr) {
    if (caller.error().reason == kInvalidKey) trail_->CountUnknownKey();
    return caller;
  }
  const auto written = trail_->Write(audit::TenantName(key->organisation), "authentication.refused",
                                     {{"key", std::to_string(key->id)},
                                      {"peer", peer},
                                      {"reason", caller.error().reason},
                                      {"detail", caller.error().message}});
  if (!written) return Unrecorded(written.error());
  return caller;
}

bool Governor::Knows(std::string_view token) const {
  const auto directory = this->directory();
  const auto prefix = KeyPrefix(token);
  const ApiKey* const found = prefix ? directory->FindKey(*prefix) : nullptr;
  return found != nullptr && KeyHasher::Equal(hasher_.Digest(token), found->digest) &&
         !found->revoked_at && directory->IsOpen(*found);
}

std::expected<std::shared_ptr<Caller>, Refusal> Governor::Recognise(
    std::string_view token, std::string_view peer, Right right,
    const std::shared_ptr<const Directory>& directory, const ApiKey*& key) const {
  if (options_.clock->SteadyMicroseconds() - last_answer_ >
      std::chrono::microseconds(options_.patience).count()) {
    return Deny(ErrorCode::kUnavailable,
                "the store of keys and budgets has not answered for too long", "store_unavailable");
  }
  const auto wrong = [] {
    return Deny(ErrorCode::kUnauthenticated,
                "the API key is missing or wrong; send it as `Authorization: Bearer KEY`",
                std::string(kInvalidKey));
  };
  const auto prefix = KeyPrefix(token);
  if (!prefix) return wrong();
  const ApiKey* found = directory->FindKey(*prefix);
  if (found == nullptr || !KeyHasher::Equal(hasher_.Digest(token), found->digest)) return wrong();
  key = found;
  // From here on the caller has the secret, and may know what is wrong with it.
  if (key->revoked_at) {
    return Deny(ErrorCode::kUnauthenticated, "this API key was revoked", std::string(kInvalidKey));
  }
  if (key->expires_at && *key->expires_at <= options_.clock->WallSeconds()) {
    return Deny(ErrorCode::kUnauthenticated, "this API key has expired", std::string(kInvalidKey));
  }
  if (!directory->IsOpen(*key)) {
    return Deny(ErrorCode::kUnauthenticated, "the project of this API key was archived",
                std::string(kInvalidKey));
  }
  if (!key->networks.empty()) {
    const auto address = ParsePeer(peer);
    if (!address || std::ranges::none_of(key->networks, [&](const Network& network) {
          return network.Contains(*address);
        })) {
      return Deny(ErrorCode::kPermissionDenied, "this API key may not be used from this address",
                  "ip_not_authorized");
    }
  }
  if (!HasRight(key->role, right)) {
    return Deny(ErrorCode::kPermissionDenied,
                fmt::format("a key of the role `{}` may not do this", RoleName(key->role)),
                "insufficient_permissions");
  }
  return std::shared_ptr<Caller>(new Caller(*const_cast<Governor*>(this), directory, *key));
}

}  // namespace jikji
