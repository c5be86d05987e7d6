#include "net/peer_faults.h"

#include <algorithm>
#include <random>

#include "net/peer_network.h"

namespace jikji::net {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

uint64_t RandomSeed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

// The finishing step of MurmurHash3: every bit of the input moves every bit of the output.
uint64_t Mix(uint64_t bits) {
  bits = (bits ^ bits >> 33) * 0xFF51AFD7ED558CCD;
  bits = (bits ^ bits >> 33) * 0xC4CEB9FE1A85EC53;
  return bits ^ bits >> 33;
}

}  // namespace

PeerFaults::PeerFaults(size_t per_second)
    : interval_(per_second == 0 ? 0 : kSecond / static_cast<int64_t>(per_second)),
      seed_(RandomSeed()) {}

std::atomic<int64_t>& PeerFaults::BucketOf(const boost::asio::ip::address& peer) {
  return even_[Mix(Mix(seed_) ^ NetworkOf(peer)) % kBuckets];
}

PeerFaults::Clock::duration PeerFaults::Add(const boost::asio::ip::address& peer,
                                            Clock::time_point when) {
  if (interval_ == 0) return {};
  constexpr int64_t kLongest = std::chrono::nanoseconds(kLongestWait).count();
  const int64_t now = std::chrono::nanoseconds(when.time_since_epoch()).count();
  const int64_t ahead = kBurstSeconds * kSecond;
  std::atomic<int64_t>& even = BucketOf(peer);
  int64_t known = even.load(std::memory_order_relaxed), next = 0;
  do {
    // A flood owes no more than the longest wait, so that its end is felt soon.
    next = std::min(std::max(known, now) + interval_, now + ahead + kLongest);
  } while (!even.compare_exchange_weak(known, next, std::memory_order_relaxed));
  return std::chrono::nanoseconds(std::max<int64_t>(0, next - now - ahead));
}

}  // namespace jikji::net
