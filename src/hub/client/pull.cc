#include "hub/client/pull.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "hub/client/cache.h"
#include "hub/client/fetch_pieces.h"
#include "store/digest.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;

// Of a hub that tells of no pieces: what a killed pull may lose.
constexpr uint64_t kPieceBytes = 16u << 20;
constexpr int kAttempts = 5;  // for each piece, while the hub is away

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
    JIKJI_ASSIGN(trust_marks_, folder_.Settle());
    if (!trust_marks_) JIKJI_RETURN_IF_ERROR(folder_.Recheck());
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
    if (planned_.size() == 1) JIKJI_RETURN_IF_ERROR(folder_.NoteUnsynced());
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
      JIKJI_RETURN_IF_ERROR(CheckMark(*download, piece));
      if (download->pieces.Has(piece)) continue;
      ++download->missing;
      left_ += download->pieces.End(piece) - download->pieces.Begin(piece);
      jobs_.push_back({download, piece});
    }
    return download->missing == 0 ? Finish(*download) : Result<>{};
  }

  // After a power failure a mark may be there whose piece is not.
  Result<> CheckMark(Download& download, size_t piece) const {
    if (trust_marks_ || !download.pieces.Has(piece) || download.digests.empty()) return {};
    JIKJI_ASSIGN(const Digest digest, download.pieces.Hash(piece));
    if (HexOf(digest) != download.digests[piece]) download.pieces.Unmark(piece);
    return {};
  }

  Result<> Work() {
    // Each thread has two connections, where there may be two.
    const size_t connections = std::max<size_t>(options_.connections, 1);
    const size_t threads_wanted = std::min((connections + 1) / 2, jobs_.size());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < threads_wanted; ++i) {
      const bool two = 2 * i + 1 < connections;
      threads.emplace_back([this, two] {
        for (;;) {
          std::array<PieceJob, 2> jobs{Take()};
          if (jobs[0].download == nullptr) break;
          if (two) jobs[1] = Take();
          if (auto fetched = Fetch(jobs); !fetched) Stop(fetched.error());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (error_) return std::unexpected(*error_);
    return {};
  }

  // Of no download where nothing is left to do.
  PieceJob Take() {
    const std::lock_guard lock(mutex_);
    if (error_ || jobs_.empty()) return {};
    PieceJob job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }

  void Stop(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = error;
  }

  Result<> Fetch(std::array<PieceJob, 2> jobs) {
    for (int attempt = 1;; ++attempt) {
      auto outcomes = FetchPieces(remote_, options_.repository, commit_, jobs);
      bool again = false;
      for (size_t i = 0; i < jobs.size(); ++i) {
        if (jobs[i].download == nullptr) continue;
        const bool away = !outcomes[i] && outcomes[i].error().code == ErrorCode::kUnavailable;
        if (away && attempt < kAttempts) {
          again = true;
          continue;
        }
        JIKJI_RETURN_IF_ERROR(outcomes[i]);
        JIKJI_RETURN_IF_ERROR(Count(jobs[i]));
        jobs[i] = {};
      }
      if (!again) return {};
    }
  }

  // A piece is there and right.
  Result<> Count(const PieceJob& job) {
    Download& download = *job.download;
    JIKJI_RETURN_IF_ERROR(download.pieces.Mark(job.piece));
    const uint64_t bytes = job.End() - job.Begin();
    fetched_ += bytes;
    {
      const std::lock_guard lock(mutex_);
      done_ += bytes;
      if (options_.progress) options_.progress(done_, total_);
    }
    return --download.missing == 0 ? Finish(download) : Result<>{};
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
  bool trust_marks_ = true;
  std::set<std::string> planned_;
  uint64_t left_ = 0;
  uint64_t total_ = 0;
  std::atomic<uint64_t> fetched_ = 0;
  std::mutex mutex_;  // of what follows
  std::deque<PieceJob> jobs_;
  uint64_t done_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<PullReport> Pull(Remote& remote, const PullOptions& options) {
  return Puller(remote, options).Run();
}

}  // namespace jikji::hub
