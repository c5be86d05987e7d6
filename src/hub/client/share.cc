#include "hub/client/share.h"

#include <algorithm>
#include <charconv>
#include <thread>

#include "store/digest.h"

namespace jikji::hub {
namespace {

constexpr std::string_view kPath = "/pieces/";
constexpr size_t kReadBytes = 1u << 20;
constexpr std::chrono::milliseconds kLook{50};

net::Response Status(int status) {
  net::Response response;
  response.status = status;
  return response;
}

}  // namespace

Result<std::unique_ptr<PieceShare>> PieceShare::Start(const std::string& address) {
  net::ServerOptions options;
  const size_t colon = address.rfind(':');
  const char* const end = address.data() + address.size();
  const auto parsed = colon == std::string::npos
                          ? std::from_chars_result{address.data(), std::errc::invalid_argument}
                          : std::from_chars(address.data() + colon + 1, end, options.port);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    return Fail(ErrorCode::kInvalidArgument, "where to serve pieces is HOST:PORT", address);
  }
  options.address = address.substr(0, colon);
  options.max_body_bytes = 0;
  std::unique_ptr<PieceShare> share(new PieceShare);
  share->last_asked_ = std::chrono::steady_clock::now();
  JIKJI_ASSIGN(
      share->server_,
      net::Server::Start(options, [share = share.get()](net::Request request,
                                                        std::shared_ptr<net::Responder> responder) {
        if (request.method != "GET" || !request.path.starts_with(kPath)) {
          return responder->Send(Status(404));
        }
        responder->Send(share->Answer(request.path.substr(kPath.size())));
      }));
  return share;
}

PieceShare::~PieceShare() {
  server_.reset();
  workers_.Stop();
}

Result<PieceShare::SharedFile> PieceShare::Add(const std::filesystem::path& path,
                                               uint64_t piece_bytes,
                                               const std::vector<std::string>& digests,
                                               const std::vector<bool>& has) {
  if (digests.size() < 2) return nullptr;
  JIKJI_ASSIGN(OpenFile opened, OpenFile::Open(path));
  SharedFile file = std::make_shared<const OpenFile>(std::move(opened));
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < digests.size(); ++i) {
    const uint64_t begin = i * piece_bytes;
    Piece& piece = pieces_[digests[i]];
    if (piece.state != State::kMissing) continue;  // another file has it as well
    piece = {file, begin, std::min(piece_bytes, file->size() - begin),
             has[i] ? State::kUnchecked : State::kMissing};
  }
  return file;
}

void PieceShare::Have(const std::string& digest, const SharedFile& file, uint64_t offset) {
  const std::lock_guard lock(mutex_);
  const auto piece = pieces_.find(digest);
  if (file == nullptr || piece == pieces_.end()) return;
  piece->second.file = file;
  piece->second.offset = offset;
  piece->second.state = State::kGood;
}

void PieceShare::AllAdded() {
  const std::lock_guard lock(mutex_);
  all_added_ = true;
}

net::Response PieceShare::Answer(const std::string& digest) {
  const std::lock_guard lock(mutex_);
  last_asked_ = std::chrono::steady_clock::now();
  const auto found = pieces_.find(digest);
  if (found == pieces_.end()) return Status(all_added_ ? 404 : 503);
  const Piece& piece = found->second;
  if (piece.state == State::kUnchecked) {
    workers_.Post([this, digest, piece] { Check(digest, piece); });
  }
  if (piece.state != State::kGood) return Status(503);
  net::Response response;
  response.content_type = "application/octet-stream";
  response.file = net::FilePart{piece.file, piece.offset, piece.length};
  served_bytes_ += piece.length;
  return response;
}

void PieceShare::Check(const std::string& digest, const Piece& piece) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = pieces_.find(digest);
    // Asked for twice, and checked meanwhile.
    if (known == pieces_.end() || known->second.state != State::kUnchecked) return;
  }
  std::string buffer(kReadBytes, '\0');
  Sha256Stream hash;
  bool read = true;
  for (uint64_t at = 0; read && at < piece.length;) {
    const size_t count = std::min<uint64_t>(buffer.size(), piece.length - at);
    read = piece.file->Read(piece.offset + at, std::span(buffer).first(count)).has_value();
    hash.Update(std::string_view(buffer).substr(0, count));
    at += count;
  }
  const bool good = read && HexOf(hash.Finish()) == digest;
  const std::lock_guard lock(mutex_);
  if (!good) {
    pieces_.erase(digest);
  } else if (const auto known = pieces_.find(digest); known != pieces_.end()) {
    known->second.state = State::kGood;
  }
}

void PieceShare::WaitUntilQuiet(std::chrono::milliseconds quiet) {
  const auto last = [this] {
    const std::lock_guard lock(mutex_);
    return last_asked_;
  };
  while (std::chrono::steady_clock::now() < last() + quiet) std::this_thread::sleep_for(kLook);
}

uint64_t PieceShare::served_bytes() const {
  const std::lock_guard lock(mutex_);
  return served_bytes_;
}

}  // namespace jikji::hub
