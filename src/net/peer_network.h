// Which subscriber an address belongs to: an IPv4 address alone, an IPv6 one by its /64, of which
// one subscriber has all. Internal to net/.
#ifndef JIKJI_NET_PEER_NETWORK_H_
#define JIKJI_NET_PEER_NETWORK_H_

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <cstring>

namespace jikji::net {

inline uint64_t NetworkOf(const boost::asio::ip::address& peer) {
  if (peer.is_v4()) return peer.to_v4().to_uint();
  const auto bytes = peer.to_v6().to_bytes();
  uint64_t prefix = 0;
  const bool mapped = peer.to_v6().is_v4_mapped();
  std::memcpy(&prefix, bytes.data() + (mapped ? bytes.size() - sizeof prefix : 0), sizeof prefix);
  return prefix;
}

}  // namespace jikji::net

#endif  // JIKJI_NET_PEER_NETWORK_H_
