// The fields that chat and plain completions share, checked, with nothing yet filled in.
#ifndef JIKJI_API_GENERATION_FIELDS_H_
#define JIKJI_API_GENERATION_FIELDS_H_

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/api_error.h"
#include "engine/request.h"

namespace jikji {

struct GenerationFields {
  std::string model;  // empty: the one that is served
  std::optional<double> temperature, top_p, min_p, repetition_penalty;
  std::optional<double> presence_penalty, frequency_penalty;
  std::optional<int64_t> top_k, seed;
  std::vector<std::pair<TokenId, float>> logit_bias;
  int32_t n = 1;
  std::optional<int64_t> max_tokens;
  std::string max_tokens_field = "max_tokens";  // which field gave it, for errors
  int64_t min_tokens = 0;
  std::vector<std::string> stop;  // in NFC, as the model writes
  std::vector<TokenId> stop_token_ids;
  bool ignore_eos = false;
  bool include_stop_text = false;
  bool skip_special = true;
  int32_t priority = 0;
  std::string cache_salt;
  std::string request_id;
  bool stream = false;
  bool include_usage = false;     // a chunk with the usage at the end
  bool continuous_usage = false;  // and the usage so far in every chunk
  // For the debug log: keys that mean nothing here.
  std::vector<std::string> unknown;
};

// `own_fields` are the keys that the caller reads itself.
ApiResult<GenerationFields> ParseGenerationFields(const boost::json::object& body,
                                                  std::span<const std::string_view> own_fields);

// The body of a request as an object, or what is wrong with it.
ApiResult<boost::json::value> ParseBody(std::string_view body);

}  // namespace jikji

#endif  // JIKJI_API_GENERATION_FIELDS_H_
