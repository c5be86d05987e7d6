// The stages of tokenizer.json, read: normalizer, pre-tokenizer, post-processor, decoder.
//
// What is not supported is kUnsupported with the path of the field: a text must never be encoded
// otherwise than the model was trained on.
#ifndef JIKJI_TEXT_JSON_STAGES_H_
#define JIKJI_TEXT_JSON_STAGES_H_

#include <boost/json/fwd.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/normalizer.h"
#include "text/splitter.h"
#include "text/tokenizer.h"

namespace jikji {

// `type` of a stage, or an error; a view into `stage`.
Result<std::string_view> StageType(const boost::json::object& stage, std::string_view path);

Result<std::vector<NormalizerStep>> ReadNormalizer(const boost::json::object& normalizer,
                                                   std::string_view path);

struct PreTokenizerStages {
  std::vector<std::unique_ptr<Splitter>> stages;
  bool byte_level = false;  // pieces are bytes in GPT-2's writing
};
Result<PreTokenizerStages> ReadPreTokenizer(const boost::json::object& pre_tokenizer,
                                            std::string_view path);

struct Surrounding {
  std::vector<TokenId> prefix;
  std::vector<TokenId> suffix;
};
Result<Surrounding> ReadPostProcessor(const boost::json::object& post_processor,
                                      std::string_view path);

// How the writing of one token becomes its bytes, and what happens at the start of a text.
struct TokenDecoder {
  bool byte_level = false;
  bool byte_fallback = false;  // <0xHH> is a byte
  bool strips_leading_space = false;
  std::vector<ReplaceStep> replacements;

  std::string Decode(std::string_view written) const;
};
Result<TokenDecoder> ReadDecoder(const boost::json::object& decoder, std::string_view path);

}  // namespace jikji

#endif  // JIKJI_TEXT_JSON_STAGES_H_
