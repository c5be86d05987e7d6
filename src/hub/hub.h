// A hub on disk: a folder with its database, its blobs and its secret, shared by what serves it.
//
// Layout: ROOT/hub.db, ROOT/blobs/, ROOT/incoming/. Thread-safe: each piece of work takes a
// connection of its own. Several programs may have one folder open (`jikji hub gc` beside
// `jikji hub serve`). Non-goals: HTTP (api/hub), who may do what (access.h).
#ifndef JIKJI_HUB_HUB_H_
#define JIKJI_HUB_HUB_H_

#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "hub/listing.h"
#include "store/blob_store.h"
#include "store/database.h"

namespace jikji::hub {

class Hub {
 public:
  // Makes what is missing.
  static Result<std::unique_ptr<Hub>> Open(const std::filesystem::path& root);

  // A connection, given back when this is destroyed. Must not outlive the hub.
  class Session {
   public:
    Session(Hub* hub, std::unique_ptr<Database> database)
        : hub_(hub), database_(std::move(database)) {}
    Session(Session&&) = default;
    Session& operator=(Session&&) = delete;
    ~Session();
    Database& operator*() const { return *database_; }
    Database* operator->() const { return database_.get(); }

   private:
    Hub* hub_;
    std::unique_ptr<Database> database_;
  };
  Result<Session> Connect();

  const BlobStore& blobs() const { return blobs_; }
  // 32 random bytes that signed URLs are signed with; made once.
  const std::string& secret() const { return secret_; }
  const std::filesystem::path& root() const { return root_; }

  // What a commit with this tree holds; the most recently asked for are kept in memory.
  Result<std::shared_ptr<const Listing>> ListingOf(Database& database, const std::string& tree);

 private:
  Hub(std::filesystem::path root, BlobStore blobs)
      : root_(std::move(root)), blobs_(std::move(blobs)) {}
  Result<> MakeSecret();

  struct Kept {
    std::string tree;
    std::shared_ptr<const Listing> listing;
  };

  const std::filesystem::path root_;
  const BlobStore blobs_;
  std::string secret_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Database>> idle_;
  std::list<Kept> recent_;  // newest first
  std::unordered_map<std::string, std::list<Kept>::iterator> by_tree_;
  size_t kept_files_ = 0;
};

// Seconds since 1970 UTC.
int64_t NowSeconds();
// "2026-11-25T01:02:03.000Z"
std::string IsoTime(int64_t seconds);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_HUB_H_
