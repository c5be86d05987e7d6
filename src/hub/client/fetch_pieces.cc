#include "hub/client/fetch_pieces.h"

#include <algorithm>
#include <optional>

#include "store/sha256_lane.h"

namespace jikji::hub {
namespace {

// Of each connection at a time. Two of them stay in a core's cache from the socket over the hash to
// the file.
constexpr size_t kStepBytes = 128u << 10;

// One of the two connections.
class Lane {
 public:
  explicit Lane(const PieceJob& job) : job_(job) {}

  void Open(Remote& remote, const std::string& repository, const std::string& commit) {
    if (job_.download == nullptr) return;
    at_ = job_.Begin();
    auto body = remote.Read(repository, commit, job_.download->file.path, at_, job_.End());
    if (!body) return Stop(body.error());
    body_ = *std::move(body);
    buffer_.resize(std::min<uint64_t>(kStepBytes, job_.End() - at_));
  }

  // The next bytes; none at the end.
  std::string_view Next() {
    if (!body_ || body_->left() == 0) return {};
    const std::span<char> into(buffer_.data(), std::min<uint64_t>(buffer_.size(), body_->left()));
    if (auto read = body_->Read(into); !read) {
      Stop(read.error());
      return {};
    }
    return {into.data(), into.size()};
  }

  void Write(std::string_view bytes) {
    if (bytes.empty()) return;
    if (auto written = job_.download->pieces.Write(at_, bytes); !written) Stop(written.error());
    at_ += bytes.size();
  }

  Result<> Finish(const Digest& digest) const {
    if (job_.download == nullptr) return {};
    JIKJI_RETURN_IF_ERROR(outcome_);
    const auto& digests = job_.download->digests;
    if (digests.empty() || digests[job_.piece] == HexOf(digest)) return {};
    return Fail(ErrorCode::kMalformed, "a piece is not what its SHA-256 says",
                job_.download->file.path);
  }

 private:
  void Stop(const Error& error) {
    outcome_ = std::unexpected(error);
    body_.reset();
  }

  const PieceJob& job_;
  Result<> outcome_;
  std::optional<net::BodyReader> body_;
  std::vector<char> buffer_;
  uint64_t at_ = 0;
};

}  // namespace

std::array<Result<>, 2> FetchPieces(Remote& remote, const std::string& repository,
                                    const std::string& commit,
                                    const std::array<PieceJob, 2>& jobs) {
  Lane first(jobs[0]), second(jobs[1]);
  first.Open(remote, repository, commit);
  second.Open(remote, repository, commit);
  Sha256Lane first_hash, second_hash;
  for (;;) {
    const std::string_view one = first.Next(), other = second.Next();
    if (one.empty() && other.empty()) break;
    Sha256Lane::UpdateBoth(first_hash, one, second_hash, other);
    first.Write(one);
    second.Write(other);
  }
  return {first.Finish(first_hash.Finish()), second.Finish(second_hash.Finish())};
}

}  // namespace jikji::hub
