#include "govern/ledger/calendar.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <utility>

namespace jikji {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr int64_t kHour = 3'600;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kKorea = 9 * kHour;  // ahead of UTC
// 1970-01-01 was a Thursday: three days after a Monday.
constexpr int64_t kMondayOffset = 3;

constexpr std::pair<Window, std::string_view> kNames[] = {{Window::kHour, "hour"},
                                                          {Window::kDay, "day"},
                                                          {Window::kWeek, "week"},
                                                          {Window::kMonth, "month"},
                                                          {Window::kTotal, "total"}};

// Rounds down for times before 1970 too.
int64_t FloorTo(int64_t value, int64_t unit) {
  const int64_t rest = value % unit;
  return value - (rest < 0 ? rest + unit : rest);
}

template <class T>
bool ReadDigits(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && text[0] != '-';
}

}  // namespace

std::string_view WindowName(Window window) {
  for (const auto& [value, name] : kNames) {
    if (value == window) return name;
  }
  return "";
}

Result<Window> ParseWindow(std::string_view text) {
  for (const auto& [value, name] : kNames) {
    if (name == text) return value;
  }
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("`{}` is no window: hour, day, week, month or total", text));
}

int64_t WindowStart(Window window, int64_t utc) {
  const int64_t local = utc + kKorea;
  const int64_t day = FloorTo(local, kDay);
  switch (window) {
    case Window::kHour:
      return FloorTo(local, kHour) - kKorea;
    case Window::kDay:
      return day - kKorea;
    case Window::kWeek:
      return FloorTo(day + kMondayOffset * kDay, 7 * kDay) - kMondayOffset * kDay - kKorea;
    case Window::kMonth: {
      const year_month_day date{sys_days{days{day / kDay - (day % kDay < 0 ? 1 : 0)}}};
      const sys_days first{date.year() / date.month() / 1};
      return std::chrono::duration_cast<seconds>(first.time_since_epoch()).count() - kKorea;
    }
    case Window::kTotal:
      break;
  }
  return 0;
}

Result<int64_t> ParseDay(std::string_view text) {
  int year = 0;
  unsigned month = 0, day = 0;
  const bool shaped = text.size() == 10 && text[4] == '-' && text[7] == '-' &&
                      ReadDigits(text.substr(0, 4), year) && ReadDigits(text.substr(5, 2), month) &&
                      ReadDigits(text.substr(8, 2), day);
  const year_month_day date{std::chrono::year(year), std::chrono::month(month),
                            std::chrono::day(day)};
  if (!shaped || !date.ok()) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("`{}` is no day: write it as 2026-11-24", text));
  }
  return std::chrono::duration_cast<seconds>(sys_days{date}.time_since_epoch()).count() - kKorea;
}

std::string FormatTime(int64_t utc) {
  const int64_t local = utc + kKorea;
  const int64_t day = FloorTo(local, kDay);
  const year_month_day date{sys_days{days{day / kDay}}};
  const int64_t second = local - day;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+09:00", int(date.year()),
                     unsigned(date.month()), unsigned(date.day()), second / kHour, second / 60 % 60,
                     second % 60);
}

}  // namespace jikji
