// An answer of /v1/chat/completions or /v1/completions as JSON: whole, or framed as server-sent
// events.
//
// Both come from the same gathered pieces, so that the whole is the sum of the stream. Frames are
// put together by hand around a prefix that is written once per answer. Every one of them says that
// a machine wrote it (`ai_generated`), as the AI Basic Act asks.
#ifndef JIKJI_API_ANSWER_WRITER_H_
#define JIKJI_API_ANSWER_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/logprob_text.h"
#include "engine/request.h"

namespace jikji {

enum class AnswerKind { kChat, kCompletion };

struct AnswerHead {
  AnswerKind kind = AnswerKind::kChat;
  std::string id;
  std::string model;
  int64_t created = 0;  // UTC seconds since 1970
  bool logprobs = false;
  // Every frame has a `usage`: null, or the tokens so far where `continuous_usage`.
  bool include_usage = false;
  bool continuous_usage = false;
};

struct AnswerUsage {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  int64_t cached_tokens = 0;
};

// "stop" or "length".
std::string_view FinishReasonName(FinishReason reason);

class AnswerWriter {
 public:
  AnswerWriter(AnswerHead head, std::shared_ptr<const Tokenizer> tokenizer, size_t choices);

  // Gathers what one choice says.
  void AddText(size_t choice, std::string_view text) { choices_[choice].text += text; }
  void AddLogprob(size_t choice, const TokenLogprob& entry);
  void AddUnforetold(size_t choice, TokenId token);
  void Finish(size_t choice, std::string_view reason, std::string stop_match);
  // The JSON value of `prompt_logprobs`, for the whole answer.
  void SetPromptLogprobs(size_t choice, std::string json);

  // Frames. `usage` is what was used so far.
  void AppendOpening(size_t choice, const AnswerUsage& usage, std::string& out) const;
  // What was gathered since the last frame of that choice; nothing where that is nothing.
  void AppendNews(size_t choice, const AnswerUsage& usage, std::string& out);
  // `receipt`: a JSON object, with the last of the answer; empty: none.
  void AppendFinish(size_t choice, const AnswerUsage& usage, std::string_view receipt,
                    std::string& out) const;
  void AppendUsage(const AnswerUsage& usage, std::string& out) const;

  // The whole answer; of choices whose pieces were not framed.
  std::string Whole(const AnswerUsage& usage, std::string_view receipt);

 private:
  struct Choice {
    std::string text;
    std::unique_ptr<LogprobText> logprobs;  // nullptr where not asked for
    std::string finish_reason;
    std::string stop_match;
    std::string prompt_logprobs;
  };
  void AppendChoiceHead(size_t choice, std::string& out) const;
  void AppendFrameEnd(const AnswerUsage& usage, std::string_view receipt, std::string& out) const;
  void AppendLogprobs(Choice& choice, std::string& out);
  void AppendStopReason(const Choice& choice, std::string& out) const;
  std::string Head(std::string_view object) const;

  AnswerHead head_;
  std::string frame_head_;
  std::vector<Choice> choices_;
};

// `{"prompt_tokens":...}`
void AppendUsageJson(const AnswerUsage& usage, std::string& out);

}  // namespace jikji

#endif  // JIKJI_API_ANSWER_WRITER_H_
