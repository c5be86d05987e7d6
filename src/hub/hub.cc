#include "hub/hub.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "hub/schema.h"
#include "hub/transact.h"

namespace jikji::hub {
namespace {

// Files of the listings kept in memory: about 100 MB.
constexpr size_t kMaxKeptFiles = 500'000;

Result<std::string> LoadTree(Database& database, const std::string& oid) {
  JIKJI_ASSIGN(const SqlRows rows, database.Run("SELECT entries FROM trees WHERE oid = $1", {oid}));
  if (rows.empty()) return Fail(ErrorCode::kMalformed, "a tree is missing from the hub", oid);
  return rows.Text(0, 0);
}

}  // namespace

Result<std::unique_ptr<Hub>> Hub::Open(const std::filesystem::path& root) {
  JIKJI_ASSIGN(BlobStore blobs, BlobStore::Open(root));
  std::unique_ptr<Hub> hub(new Hub(root, std::move(blobs)));
  {
    JIKJI_ASSIGN(const Session session, hub->Connect());
    JIKJI_RETURN_IF_ERROR(MigrateHub(*session));
  }
  JIKJI_RETURN_IF_ERROR(hub->MakeSecret());
  return hub;
}

Result<> Hub::MakeSecret() {
  JIKJI_ASSIGN(const Session session, Connect());
  JIKJI_ASSIGN(const std::string made, RandomHex(32));
  return Transact(*session, [&]() -> Result<> {
    JIKJI_RETURN_IF_ERROR(session->Run(
        "INSERT INTO secrets (name, value) VALUES ('url', $1) ON CONFLICT (name) DO NOTHING",
        {made}));
    JIKJI_ASSIGN(const SqlRows rows, session->Run("SELECT value FROM secrets WHERE name = 'url'"));
    secret_ = rows.Text(0, 0);
    return {};
  });
}

Hub::Session::~Session() {
  if (database_ == nullptr) return;
  const std::lock_guard lock(hub_->mutex_);
  hub_->idle_.push_back(std::move(database_));
}

Result<Hub::Session> Hub::Connect() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Session session(this, std::move(idle_.back()));
      idle_.pop_back();
      return session;
    }
  }
  JIKJI_ASSIGN(auto database, Database::Open("sqlite:" + (root_ / "hub.db").string()));
  return Session(this, std::move(database));
}

Result<std::shared_ptr<const Listing>> Hub::ListingOf(Database& database, const std::string& tree) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_tree_.find(tree);
    if (found != by_tree_.end()) {
      recent_.splice(recent_.begin(), recent_, found->second);
      return recent_.front().listing;
    }
  }
  JIKJI_ASSIGN(Listing loaded, LoadListing(tree, [&database](const std::string& oid) {
                 return LoadTree(database, oid);
               }));
  auto listing = std::make_shared<const Listing>(std::move(loaded));
  const std::lock_guard lock(mutex_);
  if (by_tree_.contains(tree)) return listing;
  recent_.push_front({tree, listing});
  by_tree_[tree] = recent_.begin();
  kept_files_ += listing->size();
  while (kept_files_ > kMaxKeptFiles && recent_.size() > 1) {
    kept_files_ -= recent_.back().listing->size();
    by_tree_.erase(recent_.back().tree);
    recent_.pop_back();
  }
  return listing;
}

int64_t NowSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string IsoTime(int64_t seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.000Z", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

}  // namespace jikji::hub
