// Networks that a key may be used from: CIDR blocks of IPv4 and IPv6 (RFC 4632, RFC 4291).
#ifndef JIKJI_GOVERN_TENANCY_NETWORK_H_
#define JIKJI_GOVERN_TENANCY_NETWORK_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji {

// IPv4 stands as ::ffff:a.b.c.d, so that a client is the same whichever socket it came through.
using IpAddress = std::array<unsigned char, 16>;

// "10.1.2.3", "2001:db8::1".
std::optional<IpAddress> ParseIp(std::string_view text);
// "10.1.2.3:4567", "[2001:db8::1]:4567": the address of a peer.
std::optional<IpAddress> ParsePeer(std::string_view text);

class Network {
 public:
  // "10.0.0.0/8"; an address alone is a network of one. Bits beyond the prefix must be zero: an
  // address with a prefix is more often a slip than a network.
  static Result<Network> Parse(std::string_view text);
  bool Contains(const IpAddress& address) const;

 private:
  IpAddress address_{};
  int bits_ = 128;
};

// "10.0.0.0/8,192.168.1.7"; empty: none.
Result<std::vector<Network>> ParseNetworks(std::string_view text);

}  // namespace jikji

#endif  // JIKJI_GOVERN_TENANCY_NETWORK_H_
