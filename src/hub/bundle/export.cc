#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "hub/bundle/bundle.h"
#include "store/read_pieces.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;

// A file beside its name, until it is whole.
class Beside {
 public:
  explicit Beside(const fs::path& path) : path_(path), partial_(path.string() + ".partial") {
    descriptor_ = open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  }
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  ~Beside() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!done_) unlink(partial_.c_str());
  }

  Result<> Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return Failed();
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return {};
  }
  Result<> Finish() {
    if (fsync(descriptor_) != 0 || rename(partial_.c_str(), path_.c_str()) != 0) return Failed();
    done_ = true;
    return SyncFolder(fs::absolute(path_).parent_path());
  }

 private:
  std::unexpected<Error> Failed() const {
    return Fail(errno == ENOSPC ? ErrorCode::kResourceExhausted : ErrorCode::kIo,
                std::string("cannot write the bundle: ") + std::strerror(errno), path_.string());
  }

  const fs::path path_;
  const fs::path partial_;
  int descriptor_;
  bool done_ = false;
};

std::string LengthOf(std::string_view text) {
  std::string out(8, '\0');
  for (size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(uint64_t{text.size()} >> (8 * i));
  return out;
}

}  // namespace

Result<BundleHeader> ExportBundle(Hub& hub, Database& database, const Repository& repository,
                                  const Commit& commit, const fs::path& out,
                                  const SigningKey& key) {
  JIKJI_ASSIGN(std::vector<Commit> history,
               History(database, repository.id, commit.oid, 1, kMaxBundleHistory));
  BundleHeader header{repository.name, commit, std::move(history), {}};
  JIKJI_ASSIGN(const auto listing, hub.ListingOf(database, commit.tree));
  for (const auto& [path, file] : *listing) {
    header.files.emplace(path, BundleFile{file.digest, file.size, file.large});
  }
  const std::string text = HeaderText(header);
  // What cannot be read back is not written.
  JIKJI_RETURN_IF_ERROR(ParseBundleHeader(text));
  JIKJI_ASSIGN(const auto blobs, BlobsOf(header));
  JIKJI_ASSIGN(const std::string signature, SignStatement(StatementOf(ManifestOf(header)), key));
  Beside file(out);
  for (const std::string& part :
       {std::string(kBundleMagic), LengthOf(text), text, LengthOf(signature), signature}) {
    JIKJI_RETURN_IF_ERROR(file.Write(part));
  }
  for (const auto& [digest, size] : blobs) {
    JIKJI_ASSIGN(const Blob blob, hub.blobs().OpenBlob(digest));
    // A damaged file is found here, and not on the other side of the gap.
    Sha256Stream hash;
    JIKJI_RETURN_IF_ERROR(ReadPieces(*blob.source(), [&](std::string_view piece) {
      hash.Update(piece);
      return file.Write(piece);
    }));
    if (blob.size() != size || hash.Finish() != digest) {
      return Fail(ErrorCode::kIo, "the stored file is damaged: `jikji hub fsck` tells more",
                  HexOf(digest));
    }
  }
  JIKJI_RETURN_IF_ERROR(file.Finish());
  return header;
}

}  // namespace jikji::hub
