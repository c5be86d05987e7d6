#include "net/peer_faults.h"

#include <gtest/gtest.h>

#include <string>

namespace jikji::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr PeerFaults::Clock::time_point kStart{std::chrono::hours(1)};

boost::asio::ip::address At(const std::string& text) { return boost::asio::ip::make_address(text); }

TEST(PeerFaults, ABurstIsAnsweredAtOnceThenEachWaitsForItsTurn) {
  PeerFaults faults(10);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(faults.Add(At("192.0.2.1"), kStart), seconds(0)) << i;
  EXPECT_EQ(faults.Add(At("192.0.2.1"), kStart), milliseconds(100));
  EXPECT_EQ(faults.Add(At("192.0.2.1"), kStart), milliseconds(200));
}

TEST(PeerFaults, NobodyWaitsLongerThanTheLongest) {
  PeerFaults faults(10);
  PeerFaults::Clock::duration wait{};
  for (int i = 0; i < 100'000; ++i) wait = faults.Add(At("192.0.2.1"), kStart);
  EXPECT_EQ(wait, PeerFaults::kLongestWait);
  // Nor longer after it than that and the burst.
  const auto later = kStart + PeerFaults::kLongestWait + milliseconds(100);
  EXPECT_EQ(faults.Add(At("192.0.2.1"), later), seconds(0));
  const auto quiet = later + seconds(PeerFaults::kBurstSeconds);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(faults.Add(At("192.0.2.1"), quiet), seconds(0)) << i;
}

TEST(PeerFaults, AnotherAddressDoesNotWaitForIt) {
  PeerFaults faults(1);
  for (int i = 0; i < 1'000; ++i) faults.Add(At("192.0.2.1"), kStart);
  // Of 64 others, one in 4096 each may share its counter.
  int waits = 0;
  for (int i = 2; i < 66; ++i) {
    waits += faults.Add(At("192.0.2." + std::to_string(i)), kStart) > seconds(0) ? 1 : 0;
  }
  EXPECT_LE(waits, 3);
}

TEST(PeerFaults, AnIpv6PeerIsItsNetwork) {
  PeerFaults faults(1);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(faults.Add(At("2001:db8:0:1::" + std::to_string(i)), kStart), seconds(0));
  }
  EXPECT_EQ(faults.Add(At("2001:db8:0:1:ffff::9"), kStart), seconds(1));
}

TEST(PeerFaults, ZeroLetsNobodyWait) {
  PeerFaults faults(0);
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(faults.Add(At("192.0.2.1"), kStart), seconds(0));
}

}  // namespace
}  // namespace jikji::net
