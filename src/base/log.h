// Log lines for operators, on standard error: `[time] [level] message`.
#ifndef JIKJI_BASE_LOG_H_
#define JIKJI_BASE_LOG_H_

#include <string_view>

#include "base/error.h"

namespace jikji {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// "debug", "info", "warning" or "error".
Result<LogLevel> ParseLogLevel(std::string_view name);

void SetLogLevel(LogLevel level);

// Never put a prompt, an answer or a key in a log line.
void Log(LogLevel level, std::string_view message);

}  // namespace jikji

#endif  // JIKJI_BASE_LOG_H_
