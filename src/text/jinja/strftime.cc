// datetime.strftime in the C locale, in UTC: what strftime_now gives.
#include <fmt/format.h>

#include <ctime>

#include "text/jinja/runtime.h"

namespace jikji::jinja {
namespace {

constexpr const char* kMonths[] = {"January",   "February", "March",    "April",
                                   "May",       "June",     "July",     "August",
                                   "September", "October",  "November", "December"};
constexpr const char* kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                 "Thursday", "Friday", "Saturday"};

// One directive; `plain` leaves out padding (%-d).
std::string Directive(char directive, bool plain, const std::tm& time) {
  const int hour12 = time.tm_hour % 12 == 0 ? 12 : time.tm_hour % 12;
  auto two = [&](int value) { return plain ? std::to_string(value) : fmt::format("{:02}", value); };
  switch (directive) {
    case 'Y':
      return std::to_string(time.tm_year + 1900);
    case 'y':
      return two((time.tm_year + 1900) % 100);
    case 'm':
      return two(time.tm_mon + 1);
    case 'd':
      return two(time.tm_mday);
    case 'e':
      return plain ? std::to_string(time.tm_mday) : fmt::format("{:2}", time.tm_mday);
    case 'H':
      return two(time.tm_hour);
    case 'I':
      return two(hour12);
    case 'M':
      return two(time.tm_min);
    case 'S':
      return two(time.tm_sec);
    case 'f':
      return "000000";
    case 'j':
      return plain ? std::to_string(time.tm_yday + 1) : fmt::format("{:03}", time.tm_yday + 1);
    case 'p':
      return time.tm_hour < 12 ? "AM" : "PM";
    case 'B':
      return kMonths[time.tm_mon];
    case 'b':
    case 'h':
      return std::string(kMonths[time.tm_mon]).substr(0, 3);
    case 'A':
      return kDays[time.tm_wday];
    case 'a':
      return std::string(kDays[time.tm_wday]).substr(0, 3);
    case 'w':
      return std::to_string(time.tm_wday);
    case 'u':
      return std::to_string(time.tm_wday == 0 ? 7 : time.tm_wday);
    case 'F':
      return fmt::format("{}-{:02}-{:02}", time.tm_year + 1900, time.tm_mon + 1, time.tm_mday);
    case 'T':
    case 'X':
      return fmt::format("{:02}:{:02}:{:02}", time.tm_hour, time.tm_min, time.tm_sec);
    case 'R':
      return fmt::format("{:02}:{:02}", time.tm_hour, time.tm_min);
    case 'D':
    case 'x':
      return fmt::format("{:02}/{:02}/{:02}", time.tm_mon + 1, time.tm_mday,
                         (time.tm_year + 1900) % 100);
    case 'z':
    case 'Z':
      return "";  // a naive datetime has no zone
    case 'n':
      return "\n";
    case 't':
      return "\t";
    case '%':
      return "%";
    default:
      RaiseUnsupported(fmt::format("the directive %{} of strftime_now", directive));
  }
}

}  // namespace

std::string Strftime(std::string_view format, int64_t seconds) {
  const std::time_t when = seconds;
  std::tm time{};
  if (!gmtime_r(&when, &time) || time.tm_year + 1900 < 1000 || time.tm_year + 1900 > 9999) {
    Raise("the time is out of range");
  }
  std::string out;
  for (size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%') {
      out += format[at];
      continue;
    }
    const bool plain = format.substr(at + 1).starts_with('-');
    at += plain ? 2 : 1;
    if (at >= format.size()) RaiseUnsupported("a % at the end of a format of strftime_now");
    out += Directive(format[at], plain, time);
  }
  return out;
}

}  // namespace jikji::jinja
