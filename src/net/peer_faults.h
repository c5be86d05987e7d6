// How many answers 401 one address gets at once.
//
// Whoever guesses keys is answered as fast as a person makes mistakes. A burst of them is answered
// at once, then `per_second`; what comes faster waits for its turn, at most kLongestWait. The wait
// costs the server nothing, and only the refusal waits: others of the same address, who may
// stand behind one proxy, are served as ever.
//
// Memory is fixed: addresses share kBuckets counters by a keyed hash (an IPv6 peer is its /64, of
// which one subscriber has all). Two that meet in one wait for one another's mistakes, no more.
// Thread-safe, without a lock. Internal to net/.
#ifndef JIKJI_NET_PEER_FAULTS_H_
#define JIKJI_NET_PEER_FAULTS_H_

#include <array>
#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace jikji::net {

class PeerFaults {
 public:
  using Clock = std::chrono::steady_clock;

  // Long enough that guessing is hopeless, short enough for a client that waits for its 401.
  static constexpr std::chrono::seconds kLongestWait{2};
  // Seconds of `per_second` that come at once after a quiet time.
  static constexpr int64_t kBurstSeconds = 5;

  // 0: nobody waits.
  explicit PeerFaults(size_t per_second);

  // One more for `peer`: how long its answer waits.
  Clock::duration Add(const boost::asio::ip::address& peer, Clock::time_point now);

 private:
  static constexpr size_t kBuckets = 4096;

  std::atomic<int64_t>& BucketOf(const boost::asio::ip::address& peer);

  const int64_t interval_;  // nanoseconds from one to the next
  const uint64_t seed_;
  // When all that was let through would have come evenly (the generic cell rate algorithm).
  std::array<std::atomic<int64_t>, kBuckets> even_{};
};

}  // namespace jikji::net

#endif  // JIKJI_NET_PEER_FAULTS_H_
