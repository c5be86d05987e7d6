// The cache of Hugging Face's clients on disk: `models--OWNER--NAME/` with blobs by their etags,
// snapshots of links to them, and refs.
//
// What `jikji hub pull` puts here, `transformers`, `hf` and llama.cpp find.
#ifndef JIKJI_HUB_CLIENT_CACHE_H_
#define JIKJI_HUB_CLIENT_CACHE_H_

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "hub/client/remote.h"

namespace jikji::hub {

// HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub.
std::filesystem::path UsualCache();

struct CacheFolder {
  CacheFolder(const std::filesystem::path& cache, const std::string& repository);

  std::filesystem::path Blob(const RemoteFile& file) const { return root / "blobs" / file.etag; }
  std::filesystem::path Snapshot(const std::string& commit) const {
    return root / "snapshots" / commit;
  }
  // Links every file, then lets the revision name the commit: a reader sees all of it or none.
  Result<> Link(const std::string& commit, const std::string& revision,
                const std::vector<RemoteFile>& files) const;

  // A download gets its name once its bytes are right, without waiting until they are on the disk.
  // This notes that, before the first one gets its name.
  Result<> NoteUnsynced() const;
  // After a restart of the machine, what was noted may not be what it was: false. Without one, it
  // is brought to the disk, and the note goes.
  Result<bool> Settle() const;
  // Removes blobs that are not what their names say, and then the note.
  Result<> Recheck() const;

  std::filesystem::path root;
};

// A blob's bytes are what its name says.
Result<bool> BlobIsRight(const std::filesystem::path& blob);

struct CacheReport {
  size_t blobs = 0;
  uint64_t bytes = 0;
  std::vector<std::filesystem::path> damaged;  // not what their names say
};
// Hashes every blob of a repository's folder; needs no network: names are digests.
Result<CacheReport> VerifyCache(const CacheFolder& folder);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_CLIENT_CACHE_H_
