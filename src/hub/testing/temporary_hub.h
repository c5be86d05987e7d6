// A hub in a folder of its own, for tests.
#ifndef JIKJI_HUB_TESTING_TEMPORARY_HUB_H_
#define JIKJI_HUB_TESTING_TEMPORARY_HUB_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "hub/blobs.h"
#include "hub/commits.h"
#include "hub/hub.h"
#include "hub/repositories.h"

namespace jikji::hub {

class TemporaryHub {
 public:
  TemporaryHub() {
    std::string folder = std::filesystem::temp_directory_path() / "jikji_hub_XXXXXX";
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    root_ = folder;
    Reopen();
  }
  ~TemporaryHub() {
    hub_.reset();
    std::filesystem::remove_all(root_);
  }

  void Close() { hub_.reset(); }
  void Reopen() {
    hub_.reset();
    auto opened = Hub::Open(root_);
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().ToString());
    if (opened) hub_ = *std::move(opened);
  }
  Hub& operator*() { return *hub_; }
  Hub* operator->() { return hub_.get(); }
  const std::filesystem::path& root() const { return root_; }

  Repository Make(const std::string& name, bool is_private = false) {
    auto session = hub_->Connect();
    auto created = CreateRepository(**session, "model", name, is_private, "alice");
    EXPECT_TRUE(created.has_value()) << (created ? "" : created.error().ToString());
    return created ? created->repository : Repository{};
  }

 private:
  std::filesystem::path root_;
  std::unique_ptr<Hub> hub_;
};

// Stores bytes as `owner`'s.
inline Result<Digest> Store(Hub& hub, Database& database, std::string_view bytes,
                            const std::string& owner) {
  JIKJI_ASSIGN(BlobWriter writer, hub.blobs().Begin());
  JIKJI_RETURN_IF_ERROR(writer.Write(bytes));
  JIKJI_ASSIGN(const Digest digest, writer.Seal());
  JIKJI_RETURN_IF_ERROR(PublishBlob(database, writer, digest, owner));
  return digest;
}

// Stores a small file and commits it to `main`.
inline Result<CommitOutcome> CommitFile(Hub& hub, const Repository& repository,
                                        const std::string& path, const std::string& content,
                                        const std::string& parent = {}) {
  JIKJI_ASSIGN(const Hub::Session session, hub.Connect());
  const std::string owner = repository.name.substr(0, repository.name.find('/'));
  JIKJI_RETURN_IF_ERROR(Store(hub, *session, content, owner));
  CommitRequest request;
  request.repository = repository.id;
  request.owner = owner;
  request.parent = parent;
  request.title = "add " + path;
  request.author = "alice";
  request.changes.push_back({Change::Kind::kPut, path, SmallFile(content)});
  return CommitTo(hub, *session, request);
}

}  // namespace jikji::hub

#endif  // JIKJI_HUB_TESTING_TEMPORARY_HUB_H_
