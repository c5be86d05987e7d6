#include "hub/mirror/mirror.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "hub/blobs.h"
#include "hub/client/cache.h"
#include "hub/client/pull.h"
#include "hub/gate.h"
#include "hub/mirror/source.h"
#include "hub/names.h"
#include "hub/repositories.h"
#include "hub/transact.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;

std::string_view TextOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::unexpected<Error> CannotLink(const fs::path& path) {
  return Fail(ErrorCode::kIo, std::string("cannot link: ") + std::strerror(errno), path.string());
}

// A revision of the source as it will stand here.
struct Fetched {
  Listing listing;
  std::vector<std::string> left_out;
};

class Mirrorer {
 public:
  Mirrorer(Hub& hub, Database& database, Remote& source, const MirrorOptions& options)
      : hub_(hub),
        database_(database),
        source_(source),
        options_(options),
        name_(options.into.empty() ? options.repository : options.into),
        owner_(OwnerOf(name_)),
        staging_(hub.root() / "mirrors" /
                 HexOf(Sha256Of(source.url() + " " + options.repository)).substr(0, 16)) {}

  Result<MirrorReport> Run() {
    JIKJI_RETURN_IF_ERROR(CheckRepositoryName(options_.repository));
    JIKJI_RETURN_IF_ERROR(CheckRepositoryName(name_));
    JIKJI_ASSIGN(const std::vector<Ref> refs, RefsAt(source_, options_.repository));
    JIKJI_ASSIGN(const bool closed, IsClosedAt(source_, options_.repository));
    if (auto found = FindRepository(database_, "model", name_)) repository_ = *std::move(found);
    MirrorReport report;
    for (const Ref& ref : refs) {
      JIKJI_ASSIGN(MirroredRef mirrored, MirrorRef(ref, closed));
      report.refs.push_back(std::move(mirrored));
    }
    if (options_.deletions) {
      JIKJI_ASSIGN(report.deleted, FollowDeletions(refs));
    }
    report.fetched_bytes = fetched_bytes_;
    std::error_code ignored;
    fs::remove_all(staging_, ignored);
    fs::remove(staging_.parent_path(), ignored);  // unless another mirror runs
    return report;
  }

 private:
  // A source that tells of no refs at all deletes nothing: it is rather broken than empty.
  Result<std::vector<Ref>> FollowDeletions(const std::vector<Ref>& there) {
    std::vector<Ref> deleted;
    if (there.empty() || repository_.id == 0) return deleted;
    JIKJI_RETURN_IF_ERROR(Transact(database_, [&]() -> Result<> {
      deleted.clear();
      JIKJI_ASSIGN(const SqlRows known,
                   database_.Run("SELECT kind, name, target FROM mirrored WHERE repository = $1",
                                 {repository_.id}));
      for (size_t row = 0; row < known.size(); ++row) {
        Ref ref{known.Text(row, 0), known.Text(row, 1), known.Text(row, 2), ""};
        const bool stands = std::ranges::any_of(
            there, [&](const Ref& one) { return one.kind == ref.kind && one.name == ref.name; });
        if (stands || (ref.kind == "branch" && ref.name == "main")) continue;
        JIKJI_ASSIGN(const std::string tip,
                     TargetOf(database_, repository_.id, ref.kind, ref.name));
        if (!tip.empty() && tip != ref.target) continue;  // it was changed here
        if (!tip.empty()) {
          JIKJI_RETURN_IF_ERROR(DeleteRef(database_, repository_.id, ref.kind, ref.name));
        }
        JIKJI_RETURN_IF_ERROR(
            database_.Run("DELETE FROM mirrored WHERE repository = $1 AND kind = $2 AND name = $3",
                          {repository_.id, ref.kind, ref.name}));
        if (!tip.empty()) deleted.push_back(std::move(ref));
      }
      return {};
    }));
    return deleted;
  }

  Result<MirroredRef> MirrorRef(const Ref& ref, bool closed) {
    MirroredRef out{ref.kind, ref.name, "", false, {}};
    JIKJI_ASSIGN(const SqlRows before,
                 database_.Run("SELECT source, target FROM mirrored WHERE repository = $1 AND "
                               "kind = $2 AND name = $3",
                               {repository_.id, ref.kind, ref.name}));
    if (!before.empty() && before.Text(0, 0) == ref.target) {
      out.commit = before.Text(0, 1);
      return out;
    }
    JIKJI_ASSIGN(Commit commit, CommitAt(source_, options_.repository, ref.target));
    JIKJI_ASSIGN(Fetched fetched, Fetch(ref.target));
    JIKJI_RETURN_IF_ERROR(Name(fetched, commit));
    if (repository_.id == 0) {
      JIKJI_ASSIGN(Created created, CreateRepository(database_, "model", name_, closed, "mirror"));
      repository_ = std::move(created.repository);
    }
    const std::string known = before.empty() ? std::string() : before.Text(0, 1);
    JIKJI_RETURN_IF_ERROR(Move(ref, known, commit, fetched.listing));
    out.commit = commit.oid;
    out.changed = true;
    out.left_out = std::move(fetched.left_out);
    return out;
  }

  // Brings the files into the store, through the door.
  Result<Fetched> Fetch(const std::string& commit) {
    JIKJI_ASSIGN(const auto files, source_.Files(options_.repository, commit));
    const CacheFolder cache(staging_, options_.repository);
    JIKJI_RETURN_IF_ERROR(LayOutKnown(files, cache));
    JIKJI_ASSIGN(const PullReport pulled, Pull(source_, {.repository = options_.repository,
                                                         .revision = commit,
                                                         .cache = staging_,
                                                         .connections = options_.connections,
                                                         .progress = options_.progress}));
    fetched_bytes_ += pulled.fetched_bytes;
    Fetched out;
    std::string refused;
    for (const RemoteFile& file : files) {
      JIKJI_ASSIGN(const MappedFile mapped, MappedFile::Open(cache.Blob(file)));
      const auto bytes = mapped.bytes();
      auto no = CheckBeforeUpload(file.path, file.size, TextOf(bytes).substr(0, 512));
      if (!no) no = CheckContent(file.path, bytes);
      if (no) {
        refused += fmt::format("{}{}: {}", refused.empty() ? "" : "; ", file.path, no->english);
        out.left_out.push_back(file.path);
        continue;
      }
      JIKJI_ASSIGN(const File stored, Keep(file, cache.Blob(file), bytes));
      out.listing.emplace(file.path, stored);
      DropMappedPages(bytes);
    }
    if (!refused.empty() && !options_.leave_out) {
      return Fail(ErrorCode::kInvalidArgument,
                  "this hub does not take all of its files (they can be left out): " + refused,
                  options_.repository);
    }
    return out;
  }

  // What the store has under the same digest need not be fetched: it is linked to where a pull
  // looks.
  Result<> LayOutKnown(const std::vector<RemoteFile>& files, const CacheFolder& cache) {
    std::error_code error;
    fs::create_directories(cache.root / "blobs", error);
    if (error) return Fail(ErrorCode::kIo, error.message(), cache.root.string());
    for (const RemoteFile& file : files) {
      if (!file.large) continue;
      JIKJI_ASSIGN(const Digest digest, ParseDigest(file.etag));
      JIKJI_ASSIGN(const bool has, HasBlob(database_, digest, file.size, owner_));
      if (!has) continue;
      if (fs::exists(cache.Blob(file), error)) continue;
      JIKJI_RETURN_IF_ERROR(hub_.blobs().PlaceAt(digest, cache.Blob(file)));
    }
    return {};
  }

  // The pulled file itself becomes the blob: it is hashed again and not copied.
  Result<File> Keep(const RemoteFile& file, const fs::path& pulled,
                    std::span<const std::byte> bytes) {
    JIKJI_ASSIGN(const Digest digest,
                 file.large ? ParseDigest(file.etag) : Result<Digest>(Sha256Of(TextOf(bytes))));
    JIKJI_ASSIGN(const bool has, HasBlob(database_, digest, file.size, owner_));
    if (!has) {
      const fs::path partial = hub_.blobs().PartialPath("mirror-" + HexOf(digest));
      unlink(partial.c_str());
      if (link(pulled.c_str(), partial.c_str()) != 0) return CannotLink(partial);
      JIKJI_ASSIGN(BlobWriter writer, hub_.blobs().Adopt(partial));
      JIKJI_ASSIGN(const Digest written, writer.Seal());
      if (written != digest) {
        return Fail(ErrorCode::kMalformed, "the file is not what its digest says", file.path);
      }
      JIKJI_RETURN_IF_ERROR(PublishBlob(database_, writer, digest, owner_));
    }
    return file.large ? LargeFile(digest, file.size) : SmallFile(TextOf(bytes));
  }

  // The tree of what is here. A commit without some of its files is another commit; one that git's
  // rule proves keeps its parent; of any other, the id is the source's word.
  Result<> Name(const Fetched& fetched, Commit& commit) {
    JIKJI_ASSIGN(const std::vector<Tree> trees, TreesOf(fetched.listing));
    commit.tree = trees.back().oid;
    if (fetched.left_out.empty()) {
      if (CommitId(commit) != commit.oid) commit.parent.clear();
      return {};
    }
    commit.message = fmt::format("Mirrored from {}@{} without {}", options_.repository, commit.oid,
                                 fmt::join(fetched.left_out, ", "));
    commit.parent.clear();
    commit.oid = CommitId(commit);
    return {};
  }

  // `known`: where the last mirror left the branch; empty: there was none.
  Result<> Move(const Ref& ref, const std::string& known, const Commit& commit,
                const Listing& listing) {
    return Transact(database_, [&]() -> Result<> {
      JIKJI_ASSIGN(const std::string tip, TargetOf(database_, repository_.id, ref.kind, ref.name));
      if (!tip.empty() && tip != known && tip != commit.oid) {
        JIKJI_ASSIGN(const bool untouched, HoldsNothing(database_, repository_.id, tip));
        if (!untouched) {
          return Fail(ErrorCode::kInvalidArgument,
                      "the " + ref.kind +
                          " was changed in this hub, so it is not moved: mirror "
                          "into another name",
                      name_ + "@" + ref.name);
        }
      }
      JIKJI_RETURN_IF_ERROR(KeepCommit(database_, repository_, commit, listing));
      JIKJI_RETURN_IF_ERROR(
          PointRef(database_, repository_.id, {ref.kind, ref.name, commit.oid, ""}));
      JIKJI_RETURN_IF_ERROR(
          database_.Run("INSERT INTO mirrored (repository, kind, name, source, target) VALUES "
                        "($1, $2, $3, $4, $5) ON CONFLICT (repository, kind, name) DO UPDATE SET "
                        "source = excluded.source, target = excluded.target",
                        {repository_.id, ref.kind, ref.name, ref.target, commit.oid}));
      return {};
    });
  }

  Hub& hub_;
  Database& database_;
  Remote& source_;
  const MirrorOptions& options_;
  const std::string name_;
  const std::string owner_;
  const fs::path staging_;
  Repository repository_;  // id 0: it is made once something was fetched
  uint64_t fetched_bytes_ = 0;
};

}  // namespace

Result<MirrorReport> Mirror(Hub& hub, Database& database, Remote& source,
                            const MirrorOptions& options) {
  return Mirrorer(hub, database, source, options).Run();
}

}  // namespace jikji::hub
