// Lengths of prompts and outputs as real users had them, from a trace file.
//
// Format: CSV with the header TIMESTAMP,ContextTokens,GeneratedTokens, as Microsoft publishes the
// Azure LLM inference traces. Times are not read: a load is described by its own rate.
#ifndef JIKJI_MEASURE_LENGTH_TRACE_H_
#define JIKJI_MEASURE_LENGTH_TRACE_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji::measure {

struct RequestLengths {
  int64_t prompt = 1;
  int64_t output = 1;
  bool operator==(const RequestLengths&) const = default;
};

// `where` names the file in errors. At least one row; both lengths from 1 to 2^24 (0 output counts
// as 1: a request that generates nothing measures nothing).
Result<std::vector<RequestLengths>> ParseLengthTrace(std::string_view text, std::string_view where);

// Multiplies all lengths by one factor, at most 1, so that the longest request fits `context`
// tokens; no length falls below 1. context >= 2.
void ScaleToContext(std::vector<RequestLengths>& lengths, int64_t context);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_LENGTH_TRACE_H_
