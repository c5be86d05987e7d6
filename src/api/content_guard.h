// The privacy guard in the serving path: prompts are screened before admission, answers on their
// way out.
//
// Contract: whatever the guard cannot do is an error of the request, never an unguarded text
// (promise 3). What it decided is logged and recorded by kind and count, never with the text.
#ifndef JIKJI_API_CONTENT_GUARD_H_
#define JIKJI_API_CONTENT_GUARD_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/api_error.h"
#include "api/call_record.h"
#include "api/chat_request.h"
#include "api/completion_request.h"
#include "engine/request.h"
#include "govern/guard/guard.h"
#include "text/tokenizer.h"

namespace jikji {

// Screens what a request sends; `guard` may be nullptr, which lets everything pass.
class PromptScreen {
 public:
  PromptScreen(const guard::Guard* guard, const CallRecord& record)
      : guard_(guard), record_(record) {}

  // Masks what is to be masked in place. An error names the message.
  ApiResult<> Screen(ChatTurns& turns) const;
  // Token ids cannot be masked: they are refused where text would be.
  ApiResult<> Screen(CompletionPrompt& prompt, const Tokenizer& tokenizer) const;
  // Log probabilities spell out the tokens of an answer that may be masked.
  ApiResult<> CheckLogprobs(bool asked) const;

 private:
  ApiResult<> ScreenText(std::string& text, std::string_view field) const;
  ApiResult<> ScreenFixed(std::string_view text, std::string_view field) const;

  const guard::Guard* guard_;
  const CallRecord& record_;
};

// The choices of one answer.
class AnswerScreen {
 public:
  AnswerScreen() = default;
  // An error: the guard could not start.
  static ApiResult<AnswerScreen> Start(const guard::Guard* guard, size_t choices,
                                       const CallRecord& record);

  // Replaces the delta's text with what of it may go on; at its finish, with what was held back
  // too. Once a choice is cut its deltas have no text.
  ApiResult<> Pass(size_t choice, Delta& delta, const CallRecord& record);
  // The policy ended the choice: nothing of it follows.
  bool cut(size_t choice) const { return !choices_.empty() && choices_[choice].cut; }

 private:
  struct Choice {
    std::unique_ptr<guard::OutputGuard> guard;
    bool cut = false;
  };
  std::vector<Choice> choices_;  // none where there is no guard
};

}  // namespace jikji

#endif  // JIKJI_API_CONTENT_GUARD_H_
