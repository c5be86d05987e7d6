#include "govern/governor.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <set>
#include <utility>

#include "base/log.h"
#include "govern/ledger/usage.h"
#include "govern/schema.h"
#include "govern/tenancy/administration.h"

namespace jikji {
namespace {

// Requests of one transaction: some thousand rows at most, far below a second.
constexpr size_t kBatch = 16'384;

std::unexpected<Refusal> Deny(ErrorCode code, std::string message, std::string reason) {
  return std::unexpected(Refusal({code, std::move(message), {}}, std::move(reason)));
}

}  // namespace

std::expected<Ticket, Refusal> Caller::Admit(const AdmissionRequest& request) {
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
  granted.tenant = fmt::format("proj-{}", key_->project);
  granted.max_output_tokens = grant->max_output_tokens;
  // Whoever shares no project shares no page; what the client adds divides further.
  granted.cache_salt = fmt::format("{}/{}", key_->project, request.cache_salt);
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
  JIKJI_RETURN_IF_ERROR(Administration(*database_, hasher_, *options_.clock).CheckPepper());
  JIKJI_ASSIGN(journal_, Journal::Open(options_.journal));
  JIKJI_ASSIGN(auto slice_database, Database::Open(options_.store));
  slices_ = std::make_unique<SliceSource>(std::move(slice_database), journal_->server());
  ledger_ = std::make_unique<Ledger>(*options_.clock, *journal_, *slices_);

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
  // The journal goes to the disk even where the store is away.
  const auto synced = journal_->Sync();
  const auto prepared = ledger_->PrepareJournal();
  const std::lock_guard lock(database_mutex_);
  do {
    JIKJI_RETURN_IF_ERROR(WriteUsage());
  } while (ledger_->settled() >= kBatch);
  JIKJI_RETURN_IF_ERROR(FindOverSoft());
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

Result<> Governor::WithDatabase(const std::function<Result<>(Database&)>& work) {
  const std::lock_guard lock(database_mutex_);
  return work(*database_);
}

std::shared_ptr<const Directory> Governor::directory() const {
  const std::lock_guard lock(directory_mutex_);
  return directory_;
}

std::expected<std::shared_ptr<Caller>, Refusal> Governor::Authenticate(std::string_view token,
                                                                       std::string_view peer,
                                                                       Right right) const {
  if (options_.clock->SteadyMicroseconds() - last_answer_ >
      std::chrono::microseconds(options_.patience).count()) {
    return Deny(ErrorCode::kUnavailable,
                "the store of keys and budgets has not answered for too long", "store_unavailable");
  }
  const auto wrong = [] {
    return Deny(ErrorCode::kUnauthenticated,
                "the API key is missing or wrong; send it as `Authorization: Bearer KEY`",
                "invalid_api_key");
  };
  const auto prefix = KeyPrefix(token);
  if (!prefix) return wrong();
  auto directory = this->directory();
  const ApiKey* key = directory->FindKey(*prefix);
  if (key == nullptr || !KeyHasher::Equal(hasher_.Digest(token), key->digest)) return wrong();
  // From here on the caller has the secret, and may know what is wrong with it.
  if (key->revoked_at) {
    return Deny(ErrorCode::kUnauthenticated, "this API key was revoked", "invalid_api_key");
  }
  if (key->expires_at && *key->expires_at <= options_.clock->WallSeconds()) {
    return Deny(ErrorCode::kUnauthenticated, "this API key has expired", "invalid_api_key");
  }
  if (!directory->IsOpen(*key)) {
    return Deny(ErrorCode::kUnauthenticated, "the project of this API key was archived",
                "invalid_api_key");
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
  return std::shared_ptr<Caller>(
      new Caller(*const_cast<Governor*>(this), std::move(directory), *key));
}

}  // namespace jikji
