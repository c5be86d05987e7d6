#include "govern/ledger/rate.h"

#include <gtest/gtest.h>

#include <random>

#include "govern/tenancy/directory.h"

namespace jikji {
namespace {

TEST(RateTest, AMinutesWorthThenARefill) {
  Rate rate(3, 0);
  EXPECT_EQ(rate.Available(0), 3);
  rate.Take(3);
  EXPECT_EQ(rate.Available(0), 0);
  EXPECT_EQ(rate.UntilAvailable(1), 20'000'000);
  EXPECT_EQ(rate.Available(19'999'999), 0);
  EXPECT_EQ(rate.Available(20'000'000), 1);
  EXPECT_EQ(rate.Available(60'000'000), 3);
  EXPECT_EQ(rate.Available(600'000'000), 3);
}

TEST(RateTest, ZeroLetsNothingIn) {
  Rate rate(0, 0);
  EXPECT_EQ(rate.Available(1'000'000'000), 0);
}

TEST(RateTest, ANewLimitKeepsWhatWasTaken) {
  Rate rate(10, 0);
  rate.Take(8);
  rate.SetPerMinute(20, 0);
  EXPECT_EQ(rate.Available(0), 12);
  rate.SetPerMinute(1, 0);
  EXPECT_GE(rate.Available(0), 0);
  rate.GiveBack(8);
  EXPECT_LE(rate.Available(0), 1);
}

// At any times and with any limit: over any stretch no more is taken than one minute's worth and
// the refill; nothing overflows; what is given back is there again.
TEST(RateTest, NeverMoreThanItsRefill) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 300; ++round) {
    const int64_t limit = round == 0 ? kLargestRate : static_cast<int64_t>(random() % 1'000'000);
    Rate rate(limit, 0);
    int64_t now = 0;
    __int128 taken = 0;
    for (int step = 0; step < 200; ++step) {
      now += static_cast<int64_t>(random() % 100'000'000) >> (random() % 27);
      const int64_t available = rate.Available(now);
      ASSERT_GE(available, 0);
      ASSERT_LE(available, limit);
      const int64_t count = available == 0 ? 0 : static_cast<int64_t>(random()) % (available + 1);
      if (count < 0) continue;
      rate.Take(count);
      taken += count;
      ASSERT_LE(taken * 60'000'000, static_cast<__int128>(limit) * (60'000'000 + now));
      if (random() % 4 == 0) {
        rate.GiveBack(count);
        taken -= count;
        ASSERT_EQ(rate.Available(now), available);
      }
    }
  }
}

}  // namespace
}  // namespace jikji
