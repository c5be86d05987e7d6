// Recorded requests: when each came, how long its prompt and answer were, and which blocks of
// prompt it shares with others.
//
// Reads the Azure LLM inference traces of 2023 (CSV: TIMESTAMP, ContextTokens, GeneratedTokens) and
// Mooncake's (JSON lines: timestamp in ms, input_length, output_length, hash_ids of 512 tokens).
#ifndef JIKJI_TWIN_TRACE_H_
#define JIKJI_TWIN_TRACE_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"

namespace jikji::twin {

// Of Mooncake's blocks, and of those that are drawn.
inline constexpr int32_t kBlockTokens = 512;

struct TraceRequest {
  double time = 0;  // seconds since the first
  uint32_t prompt = 1;
  uint32_t output = 1;
  uint32_t blocks_begin = 0, blocks_end = 0;  // in Trace::blocks
};

struct Trace {
  std::vector<TraceRequest> requests;  // by time
  std::vector<uint64_t> blocks;        // each stands for itself and all before it in its prompt
  double seconds = 0;                  // until the last, and one mean interval more
};

Result<Trace> ReadTrace(const std::filesystem::path& path);

Result<Trace> ParseAzureTrace(std::string_view text, std::string where);
Result<Trace> ParseMooncakeTrace(std::string_view text, std::string where);

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_TRACE_H_
