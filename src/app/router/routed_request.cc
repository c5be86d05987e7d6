#include "app/router/routed_request.h"

#include <algorithm>
#include <boost/json.hpp>
#include <functional>

#include "base/json.h"
#include "fleet/prefix.h"

namespace jikji {
namespace {

constexpr size_t kMaxBlocks = 512;
// What an answer costs where the request sets no limit.
constexpr int64_t kUsualOutput = 256;

}  // namespace

RoutedRequest ReadRoutedRequest(const net::Request& request, size_t block_bytes) {
  RoutedRequest routed;
  routed.wanted.output_tokens = kUsualOutput;
  routed.wanted.prompt_tokens = static_cast<int64_t>(request.body.size() / kBytesPerToken);
  const auto parsed = ParseJson(request.body);
  if (!parsed || !parsed->is_object()) return routed;
  const boost::json::object& body = parsed->as_object();
  if (const auto* stream = body.if_contains("stream")) {
    routed.stream = stream->is_bool() && stream->as_bool();
  }
  routed.wanted.model = OptionalString(body, "model").value_or(std::nullopt).value_or("");
  for (const char* key : {"max_completion_tokens", "max_tokens"}) {
    const auto limit = OptionalInt(body, key).value_or(std::nullopt);
    if (limit) routed.wanted.output_tokens = std::clamp<int64_t>(*limit, 1, kUsualOutput);
  }
  // Tools and messages stand at the front of what the model reads, in this order.
  std::string text;
  for (const char* key : {"tools", "system", "messages", "prompt"}) {
    if (const auto* part = body.if_contains(key)) text += boost::json::serialize(*part);
  }
  routed.wanted.prompt_tokens = static_cast<int64_t>(text.size() / kBytesPerToken);
  // Nobody's prompt is found by another's key.
  const uint64_t salt = std::hash<std::string_view>()(request.Header("Authorization"));
  routed.wanted.prefix = fleet::PrefixHashes(text, block_bytes, kMaxBlocks, salt);
  return routed;
}

}  // namespace jikji
