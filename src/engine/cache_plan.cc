#include "engine/cache_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "engine/page_allocator.h"
#include "model/kv_cache.h"

namespace jikji {
namespace {

// Attention reads a page's slots as one run; pages beyond this only waste their tails.
constexpr int32_t kMostPageTokens = 4096;

double Mebibytes(uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

}  // namespace

Result<CachePlan> PlanCache(const DecoderSpec& spec, const EngineOptions& options) {
  if (options.page_tokens < 1 || options.page_tokens > kMostPageTokens) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a page of the KV cache holds 1 to {} tokens, not {}", kMostPageTokens,
                            options.page_tokens));
  }
  JIKJI_RETURN_IF_ERROR(KvCache::Check(spec, options.kv_dtype));
  if (options.max_running < 1 || options.context < 0) {
    return Fail(ErrorCode::kInvalidArgument,
                "at least one sequence must be able to run, and a context is not negative");
  }
  if (options.context > spec.max_position) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a context of {} tokens is beyond the model's {}", options.context,
                            spec.max_position));
  }
  const uint64_t page_bytes = KvCache::PageBytes(spec, options.page_tokens, options.kv_dtype);
  const auto most_pages = static_cast<uint64_t>(std::numeric_limits<int32_t>::max());
  const auto by_memory = static_cast<int64_t>(
      std::min(options.kv_bytes / std::max<uint64_t>(page_bytes, 1), most_pages));
  CachePlan plan;
  plan.context = options.context > 0 ? options.context
                                     : std::min(spec.max_position, by_memory * options.page_tokens);
  const int64_t needed = std::max<int64_t>(1, PagesFor(plan.context, options.page_tokens));
  if (needed > by_memory) {
    return Fail(
        ErrorCode::kResourceExhausted,
        fmt::format("{:.1f} MiB of KV cache hold {} tokens, and a context of {} needs {:.1f} "
                    "MiB; give the cache more memory or lower the context",
                    Mebibytes(options.kv_bytes), by_memory * options.page_tokens,
                    std::max<int64_t>(plan.context, 1),
                    Mebibytes(static_cast<uint64_t>(needed) * page_bytes)));
  }
  plan.pages = static_cast<int32_t>(std::min(by_memory, needed > by_memory / options.max_running
                                                            ? by_memory
                                                            : needed * options.max_running));
  return plan;
}

}  // namespace jikji
