#include "hub/client/pull.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "hub/client/cache.h"
#include "hub/client/piece_file.h"
#include "store/digest.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;

// Of a hub that tells of no pieces: what a killed pull may lose.
constexpr uint64_t kPieceBytes = 16u << 20;
constexpr int kAttempts = 5;  // for each piece, while the hub is away

// One file on its way.
struct Download {
  Download(RemoteFile file, PieceFile pieces, std::vector<std::string> digests)
      : file(std::move(file)), pieces(std::move(pieces)), digests(std::move(digests)) {}

  RemoteFile file;
  PieceFile pieces;
  std::vector<std::string> digests;  // empty: the whole is hashed at the end
  std::atomic<size_t> missing = 0;
};

struct Job {
  std::shared_ptr<Download> download;
  size_t piece = 0;
};

class Puller {
 public:
  Puller(Remote& remote, const PullOptions& options)
      : remote_(remote), options_(options), folder_(options.cache, options.repository) {}

  Result<PullReport> Run() {
    PullReport report;
    JIKJI_ASSIGN(report.commit, remote_.Commit(options_.repository, options_.revision));
    commit_ = report.commit;
    JIKJI_ASSIGN(const auto files, remote_.Files(options_.repository, commit_));
    std::error_code error;
    fs::create_directories(folder_.root / "blobs", error);
    if (error) return Fail(ErrorCode::kIo, error.message(), folder_.root.string());
    for (const RemoteFile& file : files) {
      report.bytes += file.size;
      JIKJI_RETURN_IF_ERROR(Plan(file));
    }
    total_ = report.bytes;
    done_ = report.bytes - left_;
    JIKJI_RETURN_IF_ERROR(Work());
    JIKJI_RETURN_IF_ERROR(folder_.Link(commit_, options_.revision, files));
    report.files = files.size();
    report.fetched_bytes = fetched_;
    report.snapshot = folder_.Snapshot(commit_);
    return report;
  }

 private:
  // Puts the pieces that are missing into the queue.
  Result<> Plan(const RemoteFile& file) {
    const fs::path target = folder_.Blob(file);
    std::error_code error;
    if (fs::exists(target, error) || !planned_.insert(file.etag).second) return {};
    PieceList list;
    if (file.large && file.size > 0) {
      JIKJI_ASSIGN(auto told, remote_.Pieces(options_.repository, commit_, file.path));
      if (told && told->sha256.size() == (file.size + told->piece_bytes - 1) / told->piece_bytes) {
        list = *std::move(told);
      }
    }
    if (list.piece_bytes == 0) list.piece_bytes = kPieceBytes;
    JIKJI_ASSIGN(PieceFile pieces, PieceFile::Open(target, file.size, list.piece_bytes));
    auto download = std::make_shared<Download>(file, std::move(pieces), std::move(list.sha256));
    for (size_t piece = 0; piece < download->pieces.pieces(); ++piece) {
      if (download->pieces.Has(piece)) continue;
      ++download->missing;
      left_ += download->pieces.End(piece) - download->pieces.Begin(piece);
      jobs_.push_back({download, piece});
    }
    return download->missing == 0 ? Finish(*download) : Result<>{};
  }

  Result<> Work() {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < std::min(std::max<size_t>(options_.connections, 1), jobs_.size()); ++i) {
      threads.emplace_back([this] {
        while (auto job = Take()) {
          if (auto fetched = Fetch(*job); !fetched) Stop(fetched.error());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (error_) return std::unexpected(*error_);
    return {};
  }

  std::optional<Job> Take() {
    const std::lock_guard lock(mutex_);
    if (error_ || jobs_.empty()) return std::nullopt;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }

  void Stop(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = error;
  }

  Result<> Fetch(const Job& job) {
    Result<> fetched;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      fetched = FetchOnce(job);
      if (fetched || fetched.error().code != ErrorCode::kUnavailable) break;
    }
    JIKJI_RETURN_IF_ERROR(fetched);
    Download& download = *job.download;
    JIKJI_RETURN_IF_ERROR(download.pieces.Mark(job.piece));
    const uint64_t bytes = download.pieces.End(job.piece) - download.pieces.Begin(job.piece);
    fetched_ += bytes;
    {
      const std::lock_guard lock(mutex_);
      done_ += bytes;
      if (options_.progress) options_.progress(done_, total_);
    }
    return --download.missing == 0 ? Finish(download) : Result<>{};
  }

  Result<> FetchOnce(const Job& job) {
    Download& download = *job.download;
    const bool hashed = !download.digests.empty();
    Sha256Stream hash;
    uint64_t at = download.pieces.Begin(job.piece);
    JIKJI_RETURN_IF_ERROR(remote_.Read(options_.repository, commit_, download.file.path, at,
                                       download.pieces.End(job.piece),
                                       [&](std::string_view bytes) -> Result<> {
                                         if (hashed) hash.Update(bytes);
                                         JIKJI_RETURN_IF_ERROR(download.pieces.Write(at, bytes));
                                         at += bytes.size();
                                         return {};
                                       }));
    if (!hashed || HexOf(hash.Finish()) == download.digests[job.piece]) return {};
    return Fail(ErrorCode::kMalformed, "a piece is not what its SHA-256 says", download.file.path);
  }

  Result<> Finish(Download& download) {
    JIKJI_RETURN_IF_ERROR(download.pieces.Finish());
    if (!download.digests.empty() || download.file.size == 0) return {};
    const fs::path target = folder_.Blob(download.file);
    JIKJI_ASSIGN(const bool right, BlobIsRight(target));
    if (right) return {};
    std::error_code ignored;
    fs::remove(target, ignored);
    return Fail(ErrorCode::kMalformed, "the file is not what its digest says", download.file.path);
  }

  Remote& remote_;
  const PullOptions& options_;
  const CacheFolder folder_;
  std::string commit_;
  std::set<std::string> planned_;
  uint64_t left_ = 0;
  uint64_t total_ = 0;
  std::atomic<uint64_t> fetched_ = 0;
  std::mutex mutex_;  // of what follows
  std::deque<Job> jobs_;
  uint64_t done_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<PullReport> Pull(Remote& remote, const PullOptions& options) {
  return Puller(remote, options).Run();
}

}  // namespace jikji::hub
