#include "govern/tenancy/network.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace jikji {
namespace {

bool Holds(const char* network, const char* address) {
  const auto parsed = Network::Parse(network);
  const auto ip = ParseIp(address);
  EXPECT_TRUE(parsed.has_value()) << network;
  EXPECT_TRUE(ip.has_value()) << address;
  return parsed && ip && parsed->Contains(*ip);
}

TEST(NetworkTest, HoldsWhatItShould) {
  EXPECT_TRUE(Holds("10.0.0.0/8", "10.255.255.255"));
  EXPECT_FALSE(Holds("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(Holds("192.168.1.7", "192.168.1.7"));
  EXPECT_FALSE(Holds("192.168.1.7", "192.168.1.6"));
  EXPECT_TRUE(Holds("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(Holds("0.0.0.0/0", "2001:db8::1"));  // every IPv4 address is not every address
  EXPECT_TRUE(Holds("::/0", "203.0.113.9"));
  EXPECT_TRUE(Holds("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(Holds("2001:db8::/33", "2001:db8:8000::"));
  EXPECT_TRUE(Holds("10.0.0.0/8", "::ffff:10.1.2.3"));  // through a socket of both kinds
}

TEST(NetworkTest, RefusesSlips) {
  for (const char* text :
       {"", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0/8", "2001:db8::/129",
        "2001:db8::1/64", "x", "10.0.0.0/8 ", "10.0.0.0/8x", "::ffff:10.0.0.1/8", "1.2.3.4.5"}) {
    EXPECT_FALSE(Network::Parse(text).has_value()) << text;
  }
  EXPECT_FALSE(Network::Parse(std::string_view("10.0.0.1\0", 9)).has_value());
  EXPECT_EQ(ParseNetworks("")->size(), 0u);
  EXPECT_EQ(ParseNetworks("10.0.0.0/8,::1")->size(), 2u);
  for (const char* text : {",", "10.0.0.0/8,", ",10.0.0.0/8", "10.0.0.0/8,,::1"}) {
    EXPECT_FALSE(ParseNetworks(text).has_value()) << text;
  }
}

TEST(NetworkTest, PeersComeWithPorts) {
  EXPECT_EQ(ParsePeer("127.0.0.1:8080"), ParseIp("127.0.0.1"));
  EXPECT_EQ(ParsePeer("[2001:db8::1]:1"), ParseIp("2001:db8::1"));
  EXPECT_EQ(ParsePeer("[fe80::1%eth0]:1"), ParseIp("fe80::1"));
  for (const char* text : {"", "127.0.0.1", ":1", "[::1", "somewhere:80"}) {
    EXPECT_FALSE(ParsePeer(text).has_value()) << text;
  }
}

// Against the definition: the first bits are equal.
TEST(NetworkTest, ContainsIsEqualityOfPrefixes) {
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    const uint32_t address = random();
    const int bits = static_cast<int>(random() % 33);
    const uint32_t mask = bits == 0 ? 0 : ~0u << (32 - bits);
    const uint32_t base = address & mask;
    const uint32_t other = random() % 2 == 0 ? random() : address ^ (1u << (random() % 32));
    const auto text = [](uint32_t ip) {
      return fmt::format("{}.{}.{}.{}", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
    };
    const auto network = Network::Parse(fmt::format("{}/{}", text(base), bits));
    ASSERT_TRUE(network.has_value());
    ASSERT_EQ(network->Contains(*ParseIp(text(other))), (other & mask) == base);
  }
}

}  // namespace
}  // namespace jikji
