#include "hub/client/pull.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
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
constexpr int kAttempts = 5;                           // for each piece, while the hub is away
constexpr std::chrono::milliseconds kBeforeAgain{20};  // a peer that does not have it yet is asked

class Puller {
 public:
  Puller(Remote& remote, const PullOptions& options)
      : remote_(remote),
        options_(options),
        folder_(options.cache, options.repository),
        peers_(options.peers, options.self, options.peer_limits) {}

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
    if (options_.share != nullptr) options_.share->AllAdded();
    // Each begins with another's, so that not all ask one at once.
    std::rotate(others_.begin(), others_.begin() + std::min(peers_.rank(), others_.size()),
                others_.end());
    total_ = report.bytes;
    done_ = report.bytes - left_;
    JIKJI_RETURN_IF_ERROR(Work());
    JIKJI_RETURN_IF_ERROR(folder_.Link(commit_, options_.revision, files));
    report.files = files.size();
    report.fetched_bytes = fetched_;
    report.peer_bytes = from_peers_;
    report.snapshot = folder_.Snapshot(commit_);
    return report;
  }

 private:
  // Puts the pieces that are missing into the queues.
  Result<> Plan(const RemoteFile& file) {
    if (!planned_.insert(file.etag).second) return {};
    const fs::path target = folder_.Blob(file);
    std::error_code error;
    const bool there = fs::exists(target, error);
    if (there && options_.share == nullptr && peers_.empty()) return {};
    JIKJI_ASSIGN(PieceList list, PiecesOf(file));
    const bool shared = list.sha256.size() > 1;
    const size_t first_index = pieces_planned_;
    if (shared) pieces_planned_ += list.sha256.size();
    if (there) {
      JIKJI_RETURN_IF_ERROR(Share(target, list, std::vector<bool>(list.sha256.size(), true)));
      return {};
    }
    if (!noted_) JIKJI_RETURN_IF_ERROR(folder_.NoteUnsynced());
    noted_ = true;
    JIKJI_ASSIGN(PieceFile pieces, PieceFile::Open(target, file.size, list.piece_bytes));
    auto download = std::make_shared<Download>(file, std::move(pieces), list.sha256);
    std::vector<bool> has(download->pieces.pieces());
    for (size_t piece = 0; piece < has.size(); ++piece) {
      JIKJI_RETURN_IF_ERROR(CheckMark(*download, piece));
      has[piece] = download->pieces.Has(piece);
      if (has[piece]) continue;
      ++download->missing;
      left_ += download->pieces.End(piece) - download->pieces.Begin(piece);
      const PieceJob job{download, piece, shared && !peers_.empty(), first_index + piece};
      (job.shared && !peers_.IsOwn(job.index) ? others_ : own_).push_back(job);
    }
    JIKJI_ASSIGN(download->shared, Share(download->pieces.part(), list, has));
    return download->missing == 0 ? Finish(*download) : Result<>{};
  }

  Result<PieceList> PiecesOf(const RemoteFile& file) {
    PieceList list;
    if (file.large && file.size > 0) {
      JIKJI_ASSIGN(auto told, remote_.Pieces(options_.repository, commit_, file.path));
      if (told && told->sha256.size() == (file.size + told->piece_bytes - 1) / told->piece_bytes) {
        list = *std::move(told);
      }
    }
    if (list.piece_bytes == 0) list.piece_bytes = kPieceBytes;
    return list;
  }

  Result<PieceShare::SharedFile> Share(const fs::path& path, const PieceList& list,
                                       const std::vector<bool>& has) {
    if (options_.share == nullptr) return nullptr;
    return options_.share->Add(path, list.piece_bytes, list.sha256, has);
  }

  // After a power failure a mark may be there whose piece is not.
  Result<> CheckMark(Download& download, size_t piece) const {
    if (trust_marks_ || !download.pieces.Has(piece) || download.digests.empty()) return {};
    JIKJI_ASSIGN(const Digest digest, download.pieces.Hash(piece));
    if (HexOf(digest) != download.digests[piece]) download.pieces.Unmark(piece);
    return {};
  }

  Result<> Work() {
    std::vector<std::thread> threads;
    const size_t connections = std::max<size_t>(options_.connections, 1);
    if (peers_.empty()) {
      // Each thread has two connections, where there may be two.
      for (size_t i = 0; i < std::min((connections + 1) / 2, own_.size()); ++i) {
        threads.emplace_back([this, two = 2 * i + 1 < connections] { RunAlone(two); });
      }
    } else {
      // What is one's own and what is others' at once: somebody waits for the first, and the second
      // may wait for somebody.
      for (size_t i = 0; i < connections; ++i) {
        threads.emplace_back([this, own = i % 2 == 0] { RunWithPeers(own); });
      }
    }
    for (std::thread& thread : threads) thread.join();
    if (error_) return std::unexpected(*error_);
    return {};
  }

  void RunAlone(bool two) {
    for (;;) {
      std::array<PieceJob, 2> jobs{Take(own_, others_)};
      if (jobs[0].download == nullptr) return;
      if (two) jobs[1] = Take(own_, others_);
      if (auto fetched = FetchFromHub(jobs); !fetched) Stop(fetched.error());
    }
  }

  void RunWithPeers(bool own_first) {
    for (;;) {
      PieceJob job = own_first ? Take(own_, others_) : Take(others_, own_);
      if (job.download == nullptr) return;
      if (auto fetched = FetchFromAnyone(std::move(job)); !fetched) Stop(fetched.error());
    }
  }

  // Of no download where nothing is left to do.
  PieceJob Take(std::deque<PieceJob>& first, std::deque<PieceJob>& second) {
    const std::lock_guard lock(mutex_);
    std::deque<PieceJob>& jobs = first.empty() ? second : first;
    if (error_ || jobs.empty()) return {};
    PieceJob job = std::move(jobs.front());
    jobs.pop_front();
    return job;
  }

  Result<> FetchFromAnyone(PieceJob job) {
    const Peers::Choice choice = job.shared ? peers_.Choose(job.index, job.tried) : Peers::Choice{};
    if (choice.from == Peers::From::kHub) return FetchFromHub({job});
    const auto now = std::chrono::steady_clock::now();
    if (job.asked == std::chrono::steady_clock::time_point()) job.asked = now;
    using Outcome = Peers::Outcome;
    const Outcome outcome = peers_.Fetch(choice.peer, job);
    if (outcome == Outcome::kGood) {
      from_peers_ += job.End() - job.Begin();
      return Count(job);
    }
    const bool again = outcome == Outcome::kNotYet || outcome == Outcome::kAway;
    if (!again || now - job.asked > options_.peer_limits.wait) {
      job.tried.insert(choice.peer);
      job.asked = {};
    } else {
      std::this_thread::sleep_for(kBeforeAgain);
    }
    const std::lock_guard lock(mutex_);
    others_.push_back(std::move(job));
    return {};
  }

  void Stop(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = error;
  }

  Result<> FetchFromHub(std::array<PieceJob, 2> jobs) {
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
    if (download.shared != nullptr) {
      options_.share->Have(download.digests[job.piece], download.shared, job.Begin());
    }
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
  Peers peers_;
  bool trust_marks_ = true;
  bool noted_ = false;
  size_t pieces_planned_ = 0;  // of files that are shared
  std::set<std::string> planned_;
  uint64_t left_ = 0;
  uint64_t total_ = 0;
  std::atomic<uint64_t> fetched_ = 0;
  std::atomic<uint64_t> from_peers_ = 0;
  std::mutex mutex_;             // of what follows
  std::deque<PieceJob> own_;     // from the hub
  std::deque<PieceJob> others_;  // from peers, as long as there are any
  uint64_t done_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<PullReport> Pull(Remote& remote, const PullOptions& options) {
  return Puller(remote, options).Run();
}

}  // namespace jikji::hub
