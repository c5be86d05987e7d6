// Tokens of one choice to the text its receiver gets: whole characters, up to the stop string.
//
// What Push and Finish return, added up, is Tokenizer::Decode of the tokens, cut at the first stop
// string that lies wholly in the text of the tokens after the first `min_tokens`.
#ifndef JIKJI_ENGINE_TEXT_ASSEMBLER_H_
#define JIKJI_ENGINE_TEXT_ASSEMBLER_H_

#include <memory>
#include <optional>
#include <string>

#include "engine/request.h"
#include "engine/stop_matcher.h"
#include "text/detokenizer.h"
#include "text/tokenizer.h"

namespace jikji {

class TextAssembler {
 public:
  TextAssembler(const GenerationRequest& request, std::shared_ptr<const StopStrings> stops,
                std::shared_ptr<const Tokenizer> tokenizer);

  // The text that is now certain.
  std::string Push(TokenId token);
  // All that was held back; nothing comes after.
  std::string Finish();

  // The stop string that matched.
  const std::optional<std::string>& match() const { return matcher_.match(); }

 private:
  Detokenizer detokenizer_;
  StopMatcher matcher_;
  int64_t unmatched_tokens_;  // left to come before stop strings count
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_TEXT_ASSEMBLER_H_
