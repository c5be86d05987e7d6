// Log probabilities of tokens as JSON, gathered token by token and taken piece by piece.
#ifndef JIKJI_API_LOGPROB_TEXT_H_
#define JIKJI_API_LOGPROB_TEXT_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "engine/request.h"
#include "text/tokenizer.h"

namespace jikji {

// Of one choice. A token's text is its bytes with what is no whole character shown as U+FFFD.
class LogprobText {
 public:
  virtual ~LogprobText() = default;

  virtual void Add(const TokenLogprob& entry) = 0;
  // The first token of a prompt: nothing came before it that could have foretold it.
  virtual void AddUnforetold(TokenId token) = 0;

  virtual bool empty() const = 0;
  // Appends the JSON value of what was added since the last time; null where that is nothing.
  virtual void Take(std::string& out) = 0;
};

// `{"content":[{token,logprob,bytes,top_logprobs}],"refusal":null}`
std::unique_ptr<LogprobText> MakeChatLogprobs(std::shared_ptr<const Tokenizer> tokenizer);

// `{tokens,token_logprobs,top_logprobs,text_offset}`; offsets are in characters.
std::unique_ptr<LogprobText> MakeCompletionLogprobs(std::shared_ptr<const Tokenizer> tokenizer);

// `[null,{ID:{logprob,rank,decoded_token}}...]`, one entry for each token of a prompt, as vLLM
// writes it; `rank` is null for a token that is not among the likeliest asked for.
void AppendPromptLogprobs(std::span<const TokenLogprob> entries, const Tokenizer& tokenizer,
                          std::string& out);

}  // namespace jikji

#endif  // JIKJI_API_LOGPROB_TEXT_H_
