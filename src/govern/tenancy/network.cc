#include "govern/tenancy/network.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace jikji {
namespace {

constexpr int kMappedBits = 96;  // of ::ffff:0:0/96

std::unexpected<Error> NotANetwork(std::string_view text, std::string_view why) {
  return Fail(ErrorCode::kInvalidArgument, fmt::format("`{}` is no network: {}", text, why));
}

}  // namespace

std::optional<IpAddress> ParseIp(std::string_view text) {
  const std::string terminated(text);
  if (terminated.size() != std::char_traits<char>::length(terminated.c_str())) return {};
  IpAddress address{};
  if (inet_pton(AF_INET6, terminated.c_str(), address.data()) == 1) return address;
  address.fill(0);
  address[10] = address[11] = 0xFF;
  if (inet_pton(AF_INET, terminated.c_str(), address.data() + 12) == 1) return address;
  return {};
}

std::optional<IpAddress> ParsePeer(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  std::string_view address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  // "fe80::1%eth0": the zone is ours, not the peer's.
  return ParseIp(address.substr(0, address.find('%')));
}

Result<Network> Network::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  const auto parsed = ParseIp(address);
  if (!parsed) return NotANetwork(text, "write it as 10.0.0.0/8 or 2001:db8::/32");
  const int offset = address.find(':') == std::string_view::npos ? kMappedBits : 0;
  Network network;
  network.address_ = *parsed;
  if (slash != std::string_view::npos) {
    const std::string_view length = text.substr(slash + 1);
    int bits = -1;
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
    if (error != std::errc() || end != length.data() + length.size() || bits < 0 ||
        bits + offset > 128) {
      return NotANetwork(text, "the prefix is too long or no number");
    }
    network.bits_ = bits + offset;
  }
  for (int bit = network.bits_; bit < 128; ++bit) {
    if ((network.address_[static_cast<size_t>(bit / 8)] >> (7 - bit % 8) & 1) != 0) {
      return NotANetwork(text, "bits beyond the prefix must be zero");
    }
  }
  return network;
}

bool Network::Contains(const IpAddress& address) const {
  const auto whole = static_cast<size_t>(bits_ / 8);
  if (!std::equal(address.begin(), address.begin() + static_cast<ptrdiff_t>(whole),
                  address_.begin())) {
    return false;
  }
  const int rest = bits_ % 8;
  return rest == 0 || (address[whole] ^ address_[whole]) >> (8 - rest) == 0;
}

Result<std::vector<Network>> ParseNetworks(std::string_view text) {
  std::vector<Network> networks;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    JIKJI_ASSIGN(networks.emplace_back(), Network::Parse(text.substr(0, comma)));
    if (comma + 1 == text.size()) return NotANetwork(text, "a list does not end with a comma");
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return networks;
}

}  // namespace jikji
