#include <fmt/format.h>

#include <chrono>
#include <set>

#include "measure/korean/k_checks.h"

namespace jikji::measure {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

std::string InKorean(sys_days day) {
  const year_month_day date(day);
  return fmt::format("{}년 {}월 {}일", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string InDigits(sys_days day) {
  const year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

}  // namespace

ChoiceItem DateItem(Random& random) {
  using std::chrono::January;
  using std::chrono::year;
  constexpr sys_days kFirst = year(1950) / January / 1, kEnd = year(2050) / January / 1;
  sys_days day = kFirst + days(random.Below(static_cast<uint64_t>((kEnd - kFirst).count())));
  const bool next = random.Below(2) == 0;
  if (next && random.Below(2) == 0) {
    // The last day of its month, where the next is not simply one more.
    const year_month_day date(day);
    day = sys_days(date.year() / date.month() / std::chrono::last);
  }
  const sys_days right = next ? day + days(1) : day;
  std::set<std::string> wrong;
  for (const int off : {-31, -1, 1, 30, 365}) wrong.insert(InKorean(right + days(off)));
  std::vector<std::string> choices(wrong.begin(), wrong.end());
  while (choices.size() > 3) {
    choices.erase(choices.begin() + static_cast<ptrdiff_t>(random.Below(choices.size())));
  }
  return ShuffledItem(next ? fmt::format("{}의 다음 날은", InKorean(day))
                           : fmt::format("{} 날짜를 우리말로 쓰면", InDigits(day)),
                      InKorean(right), std::move(choices), random);
}

}  // namespace jikji::measure
