// Messages to the exact token ids of a prompt, such that no text in a message becomes a special
// token.
//
// docs/design/prompt-injection.md tells how. Contract: where no message spells a special token, the
// ids are those of the tokenizer over the rendered template, as transformers makes them; where one
// does, the spelling is encoded as plain text.
#ifndef JIKJI_API_CHAT_PROMPT_H_
#define JIKJI_API_CHAT_PROMPT_H_

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/api_error.h"
#include "api/chat_request.h"
#include "api/special_spellings.h"
#include "model/model.h"

namespace jikji {

class PromptEncoder {
 public:
  // `model` must outlive this.
  explicit PromptEncoder(const ModelDescription& model);

  // `now` is UTC seconds since 1970, for templates that print the date. Errors are about
  // `messages`. Thread-safe.
  ApiResult<std::vector<TokenId>> EncodeChat(const ChatTurns& turns, int64_t now) const;

  // A prompt that the developer wrote out by hand: special tokens in it are meant.
  std::vector<TokenId> EncodeText(std::string_view text, bool add_special_tokens) const;

 private:
  ApiResult<std::string> Render(const ChatTurns& turns, const boost::json::object& variables,
                                int64_t now) const;
  std::vector<TokenId> EncodeRendered(std::string_view rendered, const ChatTurns& turns) const;
  bool AddsSpecial(std::string_view rendered, const ChatTurns& turns) const;

  const ModelDescription& model_;
  SpecialSpellings spellings_;
};

}  // namespace jikji

#endif  // JIKJI_API_CHAT_PROMPT_H_
