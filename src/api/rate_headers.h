// What an answer tells of the caller's limits, in OpenAI's headers.
#ifndef JIKJI_API_RATE_HEADERS_H_
#define JIKJI_API_RATE_HEADERS_H_

#include <cstdint>
#include <string>

#include "govern/ledger/ledger.h"
#include "net/http.h"

namespace jikji {

// x-ratelimit-{limit,remaining,reset}-{requests,tokens}, of the limits that there are; and
// X-Jikji-Budget-Exceeded with the level whose soft budget is used up.
net::Headers RateHeaders(const LedgerStatus& status);

// "12ms", "1.5s", "6m0s": as Go writes it and OpenAI's clients read it.
std::string FormatReset(int64_t microseconds);

}  // namespace jikji

#endif  // JIKJI_API_RATE_HEADERS_H_
