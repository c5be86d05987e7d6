#include "hub/client/peers.h"

#include <algorithm>

#include "net/client.h"

namespace jikji::hub {
namespace {

constexpr size_t kStepBytes = 128u << 10;

}  // namespace

Peers::Peers(const std::vector<std::string>& others, const std::string& self,
             const PeerLimits& limits)
    : self_(self), limits_(limits) {
  std::set<std::string> addresses(others.begin(), others.end());
  if (!addresses.empty() && !self.empty()) addresses.insert(self);
  for (const std::string& address : addresses) members_.push_back({.address = address});
}

size_t Peers::rank() const {
  return static_cast<size_t>(
      std::ranges::count_if(members_, [&](const Member& m) { return m.address < self_; }));
}

bool Peers::IsOwn(size_t index) const {
  return !members_.empty() && members_[index % members_.size()].address == self_;
}

Peers::Choice Peers::Choose(size_t index, const std::set<std::string>& tried) {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  for (size_t i = 0; i < members_.size(); ++i) {
    const Member& member = members_[(index + i) % members_.size()];
    if (member.address == self_) return {From::kHub};
    if (member.lied || now < member.passed_over_until || tried.contains(member.address)) continue;
    return {From::kPeer, member.address};
  }
  return {From::kHub};
}

Peers::Outcome Peers::Fetch(const std::string& peer, const PieceJob& job) {
  const Outcome outcome = Ask(peer, job);
  Note(peer, outcome);
  return outcome;
}

void Peers::Note(const std::string& peer, Outcome outcome) {
  const std::lock_guard lock(mutex_);
  const auto member = std::ranges::find(members_, peer, &Member::address);
  const auto now = Clock::now();
  switch (outcome) {
    case Outcome::kAway:
      if (!member->failing) member->failing_since = now;
      member->failing = true;
      if (now - member->failing_since >= limits_.patience) {
        member->passed_over_until = now + limits_.patience;
      }
      return;
    case Outcome::kSlow:
      member->passed_over_until = now + limits_.piece;
      return;
    case Outcome::kLied:
      member->lied = true;
      return;
    default:
      member->failing = false;
  }
}

Peers::Outcome Peers::Ask(const std::string& peer, const PieceJob& job) {
  Download& download = *job.download;
  const std::string& digest = download.digests[job.piece];
  net::ClientOptions options;
  options.pool = &pool_;
  options.deadline = Clock::now() + limits_.piece;
  const auto failed = [&] {
    return Clock::now() >= options.deadline ? Outcome::kSlow : Outcome::kAway;
  };
  auto body = net::BodyReader::Open(
      {.method = "GET", .url = "http://" + peer + "/pieces/" + digest, .headers = {}, .body = {}},
      options);
  if (!body) return body.error().code == ErrorCode::kUnavailable ? failed() : Outcome::kLied;
  if (body->response().status == 503) return Outcome::kNotYet;
  if (body->response().status == 404) return Outcome::kAbsent;
  if (body->response().status != 200 || body->left() != job.End() - job.Begin()) {
    return Outcome::kLied;
  }
  std::vector<char> buffer(kStepBytes);
  Sha256Stream hash;
  for (uint64_t at = job.Begin(); body->left() > 0;) {
    const std::span<char> part(buffer.data(), std::min<uint64_t>(buffer.size(), body->left()));
    if (!body->Read(part)) return failed();
    const std::string_view bytes(part.data(), part.size());
    hash.Update(bytes);
    // A disk that takes nothing more is told of by the hub's pieces.
    if (!download.pieces.Write(at, bytes)) return Outcome::kAbsent;
    at += bytes.size();
  }
  return HexOf(hash.Finish()) == digest ? Outcome::kGood : Outcome::kLied;
}

}  // namespace jikji::hub
