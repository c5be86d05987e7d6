// How many connections each address holds, so that none holds all that there are.
//
// Memory follows the number of connections, which the server bounds. Thread-safe. Internal to net/.
#ifndef JIKJI_NET_PEER_CONNECTIONS_H_
#define JIKJI_NET_PEER_CONNECTIONS_H_

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "net/peer_network.h"

namespace jikji::net {

class PeerConnections {
 public:
  // How many `peer` had before this one; Leave must follow.
  size_t Enter(const boost::asio::ip::address& peer) {
    const std::lock_guard lock(mutex_);
    return held_[NetworkOf(peer)]++;
  }

  void Leave(const boost::asio::ip::address& peer) {
    const std::lock_guard lock(mutex_);
    const auto held = held_.find(NetworkOf(peer));
    if (--held->second == 0) held_.erase(held);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<uint64_t, size_t> held_;
};

}  // namespace jikji::net

#endif  // JIKJI_NET_PEER_CONNECTIONS_H_
