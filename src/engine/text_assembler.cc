#include "engine/text_assembler.h"

#include <utility>

namespace jikji {

TextAssembler::TextAssembler(const GenerationRequest& request,
                             std::shared_ptr<const StopStrings> stops,
                             std::shared_ptr<const Tokenizer> tokenizer)
    : detokenizer_(std::move(tokenizer), request.skip_special),
      matcher_(std::move(stops), request.include_stop_text),
      unmatched_tokens_(request.min_tokens) {}

std::string TextAssembler::Push(TokenId token) {
  std::string text = detokenizer_.Push(token);
  if (unmatched_tokens_ > 0) {
    --unmatched_tokens_;
    return text;
  }
  return matcher_.Push(text);
}

std::string TextAssembler::Finish() {
  std::string text = detokenizer_.Finish();
  if (unmatched_tokens_ == 0) {
    text = matcher_.Push(text);
    text += matcher_.Finish();
  }
  return text;
}

}  // namespace jikji
