// Windows of a budget, in Korean time: UTC+9 all year, as it has been since 1988.
#ifndef JIKJI_GOVERN_LEDGER_CALENDAR_H_
#define JIKJI_GOVERN_LEDGER_CALENDAR_H_

#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace jikji {

enum class Window { kHour, kDay, kWeek, kMonth, kTotal };

// "hour", "day", "week", "month", "total".
std::string_view WindowName(Window window);
Result<Window> ParseWindow(std::string_view name);

// Seconds since 1970 UTC. A week begins on Monday; kTotal began in 1970.
int64_t WindowStart(Window window, int64_t seconds);

// "2026-11-24" as the moment at which that day begins in Korea.
Result<int64_t> ParseDay(std::string_view text);
// "2026-11-24T21:55:00+09:00"
std::string FormatTime(int64_t seconds);

}  // namespace jikji

#endif  // JIKJI_GOVERN_LEDGER_CALENDAR_H_
