#include "api/generation_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <limits>

#include "api/fields.h"
#include "api/request_id.h"
#include "base/json.h"
#include "text/normalize.h"

namespace jikji {
namespace {

// Deep enough for any message; a body is refused before its nesting costs anything.
constexpr JsonLimits kBodyLimits{.max_depth = 64, .max_bytes = 256u << 20};

constexpr int64_t kMaxChoices = 128;
constexpr size_t kMaxStops = 4;
constexpr size_t kMaxStopBytes = 1024;  // text held back while it may still become a stop string
constexpr size_t kMaxStopIds = 128;
constexpr size_t kMaxLogitBias = 1024;  // each costs a write per sampled token
constexpr int64_t kMaxTokenId = std::numeric_limits<TokenId>::max();

constexpr std::string_view kFields[] = {"model",
                                        "temperature",
                                        "top_p",
                                        "top_k",
                                        "min_p",
                                        "repetition_penalty",
                                        "presence_penalty",
                                        "frequency_penalty",
                                        "seed",
                                        "logit_bias",
                                        "n",
                                        "max_tokens",
                                        "min_tokens",
                                        "stop",
                                        "stop_token_ids",
                                        "ignore_eos",
                                        "include_stop_str_in_output",
                                        "skip_special_tokens",
                                        "priority",
                                        "cache_salt",
                                        "request_id",
                                        "stream",
                                        "stream_options",
                                        "add_special_tokens",
                                        "user",
                                        "metadata",
                                        "safety_identifier",
                                        "prompt_cache_key",
                                        "service_tier",
                                        "suffix"};

// What would change the answer and is not done: refused, never passed over.
constexpr RefusedField kRefused[] = {{"structured_outputs"},
                                     {"guided_json"},
                                     {"guided_regex"},
                                     {"guided_choice"},
                                     {"guided_grammar"},
                                     {"guided_decoding_backend"},
                                     {"use_beam_search", true},
                                     {"allowed_token_ids"},
                                     {"bad_words"},
                                     {"logits_processors"},
                                     {"prompt_embeds"},
                                     {"verbosity"},
                                     {"truncate_prompt_tokens"},
                                     {"kv_transfer_params"},
                                     {"return_token_ids", true},
                                     {"return_tokens_as_token_ids", true},
                                     {"store", true}};

Result<std::vector<std::pair<TokenId, float>>> ParseLogitBias(const boost::json::object& body) {
  std::vector<std::pair<TokenId, float>> biases;
  JIKJI_ASSIGN(const boost::json::object* object, OptionalObject(body, "logit_bias"));
  if (object == nullptr) return biases;
  const auto wrong = [](std::string message) {
    return Fail(ErrorCode::kInvalidArgument, std::move(message), "logit_bias");
  };
  if (object->size() > kMaxLogitBias) {
    return wrong(fmt::format("`logit_bias` takes at most {} tokens", kMaxLogitBias));
  }
  for (const auto& member : *object) {
    const std::string_view key = member.key();
    TokenId id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id < 0) {
      return wrong(fmt::format("`logit_bias` has the key `{}`, which is no token id", key));
    }
    double bias = 0;
    if (member.value().is_number()) {
      bias = member.value().to_number<double>();
    } else {
      return wrong(fmt::format("`logit_bias.{}` must be a number", key));
    }
    if (!(bias >= -100 && bias <= 100)) {
      return wrong(fmt::format("`logit_bias.{}` must be from -100 to 100", key));
    }
    biases.emplace_back(id, static_cast<float>(bias));
  }
  return biases;
}

ApiResult<> ParseStreaming(const boost::json::object& body, GenerationFields& fields) {
  JIKJI_ASSIGN(fields.stream, BoolOr(body, "stream", false));
  JIKJI_ASSIGN(const boost::json::object* options, OptionalObject(body, "stream_options"));
  if (options == nullptr) return {};
  if (!fields.stream) {
    return BadField("stream_options", "Stream options can only be defined when `stream=True`.");
  }
  JIKJI_ASSIGN(const auto usage, OptionalBool(*options, "include_usage", "stream_options"));
  JIKJI_ASSIGN(const auto continuous,
               OptionalBool(*options, "continuous_usage_stats", "stream_options"));
  JIKJI_ASSIGN(const auto obfuscation,
               OptionalBool(*options, "include_obfuscation", "stream_options"));
  if (obfuscation.value_or(false)) {
    return BadField("stream_options.include_obfuscation",
                    "`stream_options.include_obfuscation` is not supported by this server");
  }
  fields.include_usage = usage.value_or(false);
  fields.continuous_usage = fields.include_usage && continuous.value_or(false);
  return {};
}

ApiResult<> ParseSampling(const boost::json::object& body, GenerationFields& fields) {
  JIKJI_ASSIGN(fields.temperature, NumberIn(body, "temperature", 0, 2));
  JIKJI_ASSIGN(fields.top_p, NumberIn(body, "top_p", 0, 1));
  JIKJI_ASSIGN(fields.min_p, NumberIn(body, "min_p", 0, 1));
  JIKJI_ASSIGN(fields.top_k, IntIn(body, "top_k", -1, kMaxTokenId));
  // Above 0 in theory; below or above these a float's logits lose all meaning.
  JIKJI_ASSIGN(fields.repetition_penalty, NumberIn(body, "repetition_penalty", 0.01, 100));
  JIKJI_ASSIGN(fields.presence_penalty, NumberIn(body, "presence_penalty", -2, 2));
  JIKJI_ASSIGN(fields.frequency_penalty, NumberIn(body, "frequency_penalty", -2, 2));
  JIKJI_ASSIGN(fields.seed, IntIn(body, "seed", std::numeric_limits<int64_t>::min(),
                                  std::numeric_limits<int64_t>::max()));
  JIKJI_ASSIGN(fields.logit_bias, ParseLogitBias(body));
  JIKJI_ASSIGN(const auto n, IntIn(body, "n", 1, kMaxChoices));
  fields.n = static_cast<int32_t>(n.value_or(1));
  return {};
}

ApiResult<> ParseEnd(const boost::json::object& body, GenerationFields& fields) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  JIKJI_ASSIGN(fields.max_tokens, IntIn(body, "max_tokens", 0, kMost));
  JIKJI_ASSIGN(const auto min_tokens, IntIn(body, "min_tokens", 0, kMost));
  fields.min_tokens = min_tokens.value_or(0);
  JIKJI_ASSIGN(fields.stop, StringOrStrings(body, "stop", kMaxStops, kMaxStopBytes));
  for (std::string& stop : fields.stop) stop = NormalizeNfc(stop);
  JIKJI_ASSIGN(fields.stop_token_ids, TokenIds(body, "stop_token_ids", kMaxStopIds, kMaxTokenId));
  JIKJI_ASSIGN(fields.ignore_eos, BoolOr(body, "ignore_eos", false));
  JIKJI_ASSIGN(fields.include_stop_text, BoolOr(body, "include_stop_str_in_output", false));
  JIKJI_ASSIGN(fields.skip_special, BoolOr(body, "skip_special_tokens", true));
  return {};
}

}  // namespace

ApiResult<GenerationFields> ParseGenerationFields(const boost::json::object& body,
                                                  std::span<const std::string_view> own_fields) {
  GenerationFields fields;
  JIKJI_RETURN_IF_ERROR(RefuseFields(body, kRefused));
  JIKJI_ASSIGN(const auto suffix, OptionalString(body, "suffix"));
  if (suffix && !suffix->empty()) {
    return BadField("suffix", "`suffix` is not supported by this server; leave it out");
  }
  JIKJI_ASSIGN(auto model, OptionalString(body, "model"));
  fields.model = std::move(model).value_or("");
  JIKJI_RETURN_IF_ERROR(ParseStreaming(body, fields));
  JIKJI_RETURN_IF_ERROR(ParseSampling(body, fields));
  JIKJI_RETURN_IF_ERROR(ParseEnd(body, fields));
  constexpr int64_t kMaxPriority = std::numeric_limits<int32_t>::max();
  JIKJI_ASSIGN(const auto priority, IntIn(body, "priority", -kMaxPriority, kMaxPriority));
  fields.priority = static_cast<int32_t>(priority.value_or(0));
  JIKJI_ASSIGN(auto salt, OptionalString(body, "cache_salt"));
  if (salt && salt->empty()) return BadField("cache_salt", "`cache_salt` must not be empty");
  fields.cache_salt = std::move(salt).value_or("");
  JIKJI_ASSIGN(auto id, OptionalString(body, "request_id"));
  if (id && !IsUsableRequestId(*id)) {
    return BadField("request_id", "`request_id` must be 1 to 128 printable ASCII characters");
  }
  fields.request_id = std::move(id).value_or("");
  const std::span<const std::string_view> known[] = {kFields, own_fields};
  fields.unknown = UnknownFields(body, known);
  // One that was not refused asked for nothing.
  std::erase_if(fields.unknown, [](const std::string& name) {
    return std::ranges::find(kRefused, name, &RefusedField::name) != std::end(kRefused);
  });
  return fields;
}

ApiResult<boost::json::value> ParseBody(std::string_view body) {
  JIKJI_ASSIGN(boost::json::value value, ParseJson(body, {}, kBodyLimits));
  if (!value.is_object()) {
    ApiError error;
    error.message =
        fmt::format("the request body must be a JSON object, not {}", JsonTypeName(value));
    return std::unexpected(std::move(error));
  }
  return value;
}

}  // namespace jikji
