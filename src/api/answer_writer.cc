#include "api/answer_writer.h"

#include "api/json_text.h"

namespace jikji {
namespace {

void AppendReceipt(std::string_view receipt, std::string& out) {
  if (receipt.empty()) return;
  out += R"(,"receipt":)";
  out += receipt;
}

}  // namespace

std::string_view FinishReasonName(FinishReason reason) {
  return reason == FinishReason::kLength ? "length" : "stop";
}

void AppendUsageJson(const AnswerUsage& usage, std::string& out) {
  out += R"({"prompt_tokens":)";
  AppendJsonInt(usage.prompt_tokens, out);
  out += R"(,"completion_tokens":)";
  AppendJsonInt(usage.completion_tokens, out);
  out += R"(,"total_tokens":)";
  AppendJsonInt(usage.prompt_tokens + usage.completion_tokens, out);
  out += R"(,"prompt_tokens_details":{"cached_tokens":)";
  AppendJsonInt(usage.cached_tokens, out);
  out += R"(},"completion_tokens_details":{"reasoning_tokens":0}})";
}

AnswerWriter::AnswerWriter(AnswerHead head, std::shared_ptr<const Tokenizer> tokenizer,
                           size_t choices)
    : head_(std::move(head)), choices_(choices) {
  const bool chat = head_.kind == AnswerKind::kChat;
  frame_head_ = "data: " + Head(chat ? "chat.completion.chunk" : "text_completion");
  if (!head_.logprobs) return;
  for (Choice& choice : choices_) {
    choice.logprobs = chat ? MakeChatLogprobs(tokenizer) : MakeCompletionLogprobs(tokenizer);
  }
}

std::string AnswerWriter::Head(std::string_view object) const {
  std::string out = R"({"id":)";
  AppendJsonString(head_.id, out);
  out += R"(,"object":)";
  AppendJsonString(object, out);
  out += R"(,"created":)";
  AppendJsonInt(head_.created, out);
  out += R"(,"model":)";
  AppendJsonString(head_.model, out);
  out += R"(,"ai_generated":true,"choices":[)";
  return out;
}

void AnswerWriter::AddLogprob(size_t choice, const TokenLogprob& entry) {
  if (choices_[choice].logprobs != nullptr) choices_[choice].logprobs->Add(entry);
}

void AnswerWriter::AddUnforetold(size_t choice, TokenId token) {
  if (choices_[choice].logprobs != nullptr) choices_[choice].logprobs->AddUnforetold(token);
}

void AnswerWriter::Finish(size_t choice, std::string_view reason, std::string stop_match) {
  choices_[choice].finish_reason = reason;
  choices_[choice].stop_match = std::move(stop_match);
}

void AnswerWriter::SetPromptLogprobs(size_t choice, std::string json) {
  choices_[choice].prompt_logprobs = std::move(json);
}

void AnswerWriter::AppendChoiceHead(size_t choice, std::string& out) const {
  out += frame_head_;
  out += R"({"index":)";
  AppendJsonInt(static_cast<int64_t>(choice), out);
}

void AnswerWriter::AppendFrameEnd(const AnswerUsage& usage, std::string_view receipt,
                                  std::string& out) const {
  out += "}]";
  AppendReceipt(receipt, out);
  if (head_.continuous_usage) {
    out += R"(,"usage":)";
    AppendUsageJson(usage, out);
  } else if (head_.include_usage) {
    out += R"(,"usage":null)";
  }
  out += "}\n\n";
}

void AnswerWriter::AppendLogprobs(Choice& choice, std::string& out) {
  out += R"(,"logprobs":)";
  if (choice.logprobs != nullptr) {
    choice.logprobs->Take(out);
  } else {
    out += "null";
  }
}

void AnswerWriter::AppendStopReason(const Choice& choice, std::string& out) const {
  out += R"(,"stop_reason":)";
  if (choice.stop_match.empty()) {
    out += "null";
  } else {
    AppendJsonString(choice.stop_match, out);
  }
}

void AnswerWriter::AppendOpening(size_t choice, const AnswerUsage& usage, std::string& out) const {
  if (head_.kind != AnswerKind::kChat) return;
  AppendChoiceHead(choice, out);
  out += R"(,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null)";
  AppendFrameEnd(usage, {}, out);
}

void AnswerWriter::AppendNews(size_t index, const AnswerUsage& usage, std::string& out) {
  Choice& choice = choices_[index];
  if (choice.text.empty() && (choice.logprobs == nullptr || choice.logprobs->empty())) return;
  AppendChoiceHead(index, out);
  out += head_.kind == AnswerKind::kChat ? R"(,"delta":{"content":)" : R"(,"text":)";
  AppendJsonString(choice.text, out);
  if (head_.kind == AnswerKind::kChat) out += '}';
  AppendLogprobs(choice, out);
  out += R"(,"finish_reason":null)";
  AppendFrameEnd(usage, {}, out);
  choice.text.clear();
}

void AnswerWriter::AppendFinish(size_t index, const AnswerUsage& usage, std::string_view receipt,
                                std::string& out) const {
  const Choice& choice = choices_[index];
  AppendChoiceHead(index, out);
  out += head_.kind == AnswerKind::kChat ? R"(,"delta":{})" : R"(,"text":"")";
  out += R"(,"logprobs":null,"finish_reason":)";
  AppendJsonString(choice.finish_reason, out);
  AppendStopReason(choice, out);
  AppendFrameEnd(usage, receipt, out);
}

void AnswerWriter::AppendUsage(const AnswerUsage& usage, std::string& out) const {
  out += frame_head_;
  out += R"(],"usage":)";
  AppendUsageJson(usage, out);
  out += "}\n\n";
}

std::string AnswerWriter::Whole(const AnswerUsage& usage, std::string_view receipt) {
  const bool chat = head_.kind == AnswerKind::kChat;
  std::string out = Head(chat ? "chat.completion" : "text_completion");
  for (size_t i = 0; i < choices_.size(); ++i) {
    Choice& choice = choices_[i];
    out += i == 0 ? R"({"index":)" : R"(,{"index":)";
    AppendJsonInt(static_cast<int64_t>(i), out);
    out += chat ? R"(,"message":{"role":"assistant","content":)" : R"(,"text":)";
    AppendJsonString(choice.text, out);
    if (chat) out += R"(,"refusal":null})";
    AppendLogprobs(choice, out);
    out += R"(,"finish_reason":)";
    AppendJsonString(choice.finish_reason, out);
    AppendStopReason(choice, out);
    if (!choice.prompt_logprobs.empty()) {
      out += R"(,"prompt_logprobs":)";
      out += choice.prompt_logprobs;
    }
    out += '}';
  }
  out += ']';
  AppendReceipt(receipt, out);
  out += R"(,"usage":)";
  AppendUsageJson(usage, out);
  out += '}';
  return out;
}

}  // namespace jikji
