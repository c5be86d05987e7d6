// Others that pull the same model, and which piece is asked of whom.
//
// All who pull share the pieces out by one rule, without talking: sorted by their addresses, piece
// i is the (i mod n)-th one's to take from the hub, and the others take it from there. Where that
// one is gone, slow or lying, the next stands in for it, in the same order for everybody; so the
// hub sends each piece about once. Thread-safe.
#ifndef JIKJI_HUB_CLIENT_PEERS_H_
#define JIKJI_HUB_CLIENT_PEERS_H_

#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "hub/client/fetch_pieces.h"

namespace jikji::hub {

struct PeerLimits {
  // Who does not answer is asked again for that long, then passed over for as long.
  std::chrono::milliseconds patience{5000};
  // A piece comes within that, or its sender is passed over.
  std::chrono::milliseconds piece{60'000};
  // Who says "not yet" is believed for that long.
  std::chrono::milliseconds wait{300'000};
};

class Peers {
 public:
  // `self`: this one's address as others name it; empty where it does not share.
  Peers(const std::vector<std::string>& others, const std::string& self, const PeerLimits& limits);

  bool empty() const { return members_.empty(); }

  // How many addresses sort before this one's.
  size_t rank() const;
  // Piece `index` is this one's own to take from the hub, as long as all are well.
  bool IsOwn(size_t index) const;

  enum class From { kHub, kPeer };
  struct Choice {
    From from = From::kHub;
    std::string peer = {};
  };
  // Whom to ask now; who is in `tried` is not asked.
  Choice Choose(size_t index, const std::set<std::string>& tried);

  enum class Outcome {
    kGood,
    kNotYet,
    kAbsent,  // it has no such piece, and will not
    kAway,
    kSlow,
    kLied,  // it sent something else: never asked again
  };
  // Takes a piece from a peer into its file: written and right, but not marked.
  Outcome Fetch(const std::string& peer, const PieceJob& job);

 private:
  using Clock = std::chrono::steady_clock;
  struct Member {
    std::string address;
    bool lied = false;
    bool failing = false;
    Clock::time_point failing_since{};
    Clock::time_point passed_over_until{};
  };
  void Note(const std::string& peer, Outcome outcome);
  Outcome Ask(const std::string& peer, const PieceJob& job);

  const std::string self_;
  const PeerLimits limits_;
  net::ConnectionPool pool_;
  std::mutex mutex_;
  std::vector<Member> members_;  // sorted by address
};

}  // namespace jikji::hub

#endif  // JIKJI_HUB_CLIENT_PEERS_H_
