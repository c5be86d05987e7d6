#include "govern/ledger/calendar.h"

#include <gtest/gtest.h>

#include <random>

namespace jikji {
namespace {

std::string StartAt(Window window, const char* day, int64_t second) {
  return FormatTime(WindowStart(window, ParseDay(day).value() + second));
}

TEST(CalendarTest, MonthsEndInKoreaNotInGreenwich) {
  constexpr int64_t kLastSecond = 24 * 3600 - 1;
  EXPECT_EQ(StartAt(Window::kMonth, "2026-11-30", kLastSecond), "2026-11-01T00:00:00+09:00");
  EXPECT_EQ(StartAt(Window::kMonth, "2026-11-30", kLastSecond + 1), "2026-12-01T00:00:00+09:00");
  EXPECT_EQ(StartAt(Window::kMonth, "2028-02-29", kLastSecond), "2028-02-01T00:00:00+09:00");
  EXPECT_EQ(StartAt(Window::kMonth, "2026-12-31", kLastSecond + 1), "2027-01-01T00:00:00+09:00");
  // Greenwich still has November.
  EXPECT_EQ(ParseDay("2026-12-01").value(), 1'796'050'800);
}

TEST(CalendarTest, DaysWeeksAndHours) {
  EXPECT_EQ(StartAt(Window::kDay, "2026-11-24", 1), "2026-11-24T00:00:00+09:00");
  EXPECT_EQ(StartAt(Window::kHour, "2026-11-24", 7199), "2026-11-24T01:00:00+09:00");
  // The 23rd of November 2026 is a Monday.
  for (const char* day : {"2026-11-23", "2026-11-26", "2026-11-29"}) {
    EXPECT_EQ(StartAt(Window::kWeek, day, 5), "2026-11-23T00:00:00+09:00") << day;
  }
  EXPECT_EQ(StartAt(Window::kWeek, "2026-11-22", 86'399), "2026-11-16T00:00:00+09:00");
  EXPECT_EQ(WindowStart(Window::kTotal, 12345), 0);
}

// A window is made of whole hours; starts are fixed points and never move back.
TEST(CalendarTest, WindowsPartitionTime) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 50'000; ++round) {
    const auto at = static_cast<int64_t>(random() % 8'000'000'000) - 1'000'000'000;
    for (const Window window : {Window::kHour, Window::kDay, Window::kWeek, Window::kMonth}) {
      const int64_t start = WindowStart(window, at);
      ASSERT_LE(start, at);
      ASSERT_EQ(WindowStart(window, start), start);
      ASSERT_EQ(WindowStart(window, WindowStart(Window::kHour, at)), start);
      ASSERT_LT(WindowStart(window, start - 1), start);
      ASSERT_LE(WindowStart(window, at), WindowStart(window, at + 1));
    }
  }
}

TEST(CalendarTest, ParsesDays) {
  for (const char* text : {"", "2026-13-01", "2026-02-29", "2026-1-01", "2026-11-24T", "26-11-2400",
                           "-026-11-24", "2026-11-+4"}) {
    EXPECT_FALSE(ParseDay(text).has_value()) << text;
  }
  EXPECT_EQ(FormatTime(ParseDay("2028-02-29").value()), "2028-02-29T00:00:00+09:00");
  for (const char* name : {"hour", "day", "week", "month", "total"}) {
    EXPECT_EQ(WindowName(ParseWindow(name).value()), name);
  }
  EXPECT_FALSE(ParseWindow("year").has_value());
}

}  // namespace
}  // namespace jikji
