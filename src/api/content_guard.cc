#include "api/content_guard.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <exception>

#include "base/log.h"

namespace jikji {
namespace {

constexpr const char* kBlockedCode = "content_filter";

// Whatever a guard throws is a guard that failed.
template <class Work>
auto Contained(const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::exception& problem) {
    return Fail(ErrorCode::kInternal, problem.what());
  }
}

// What went wrong inside is for the log; the client learns that nothing passed.
ApiError GuardFailed(std::string_view request_id, const Error& error) {
  Log(LogLevel::kError, fmt::format("{} privacy guard: {}", request_id, error.ToString()));
  ApiError failed = ErrorOfStatus(500,
                                  "the privacy guard failed, so nothing was let through; try again "
                                  "or tell the operator (개인정보 보호 장치가 실패하여 아무것도 "
                                  "내보내지 않았습니다)");
  failed.code = "guard_failed";
  return failed;
}

std::unexpected<ApiError> Blocked(guard::PiiKind kind, std::string_view field) {
  const guard::PiiKindName& name = guard::NameOf(kind);
  return BadField(field,
                  fmt::format("`{}` holds what looks like {}, which this service does not accept; "
                              "remove it and send again ({}(으)로 보이는 내용이 있어 받지 "
                              "않습니다. 지우고 다시 보내 주세요)",
                              field, name.english, name.korean),
                  kBlockedCode);
}

ApiResult<> NoteCounts(const CallRecord& record, std::string_view side,
                       const guard::PiiCounts& counts, bool blocked) {
  const std::string found = guard::DescribeCounts(counts);
  if (found.empty()) return {};
  Log(LogLevel::kInfo, fmt::format("{} privacy guard, {}: {}{}", record.request_id(), side, found,
                                   blocked ? " (blocked)" : ""));
  return record.Guard(side, found, blocked);
}

}  // namespace

ApiResult<> PromptScreen::ScreenText(std::string& text, std::string_view field) const {
  if (guard_ == nullptr) return {};
  auto verdict = Contained([&] { return guard_->CheckPrompt(text); });
  if (!verdict) return std::unexpected(GuardFailed(record_.request_id(), verdict.error()));
  JIKJI_RETURN_IF_ERROR(
      NoteCounts(record_, "prompt", verdict->counts, verdict->blocked.has_value()));
  if (verdict->blocked) return Blocked(*verdict->blocked, field);
  if (verdict->masked) text = std::move(*verdict->masked);
  return {};
}

ApiResult<> PromptScreen::ScreenFixed(std::string_view text, std::string_view field) const {
  std::string screened(text);
  JIKJI_RETURN_IF_ERROR(ScreenText(screened, field));
  if (screened == text) return {};
  return BadField(field,
                  fmt::format("`{}` holds personal information that this service masks, which "
                              "cannot be done there: send it as text, or remove it (여기에는 "
                              "가림 처리를 할 수 없는 개인정보가 있습니다)",
                              field),
                  kBlockedCode);
}

ApiResult<> PromptScreen::Screen(ChatTurns& turns) const {
  for (size_t i = 0; i < turns.messages.size(); ++i) {
    ChatMessage& message = turns.messages[i];
    const auto field = [i](std::string_view name) {
      return fmt::format("messages[{}].{}", i, name);
    };
    JIKJI_RETURN_IF_ERROR(ScreenText(message.content, field("content")));
    if (message.reasoning) {
      JIKJI_RETURN_IF_ERROR(ScreenText(*message.reasoning, field("reasoning")));
    }
    if (message.name) JIKJI_RETURN_IF_ERROR(ScreenText(*message.name, field("name")));
    for (ToolCall& call : message.tool_calls) {
      JIKJI_RETURN_IF_ERROR(ScreenFixed(call.name, field("tool_calls")));
      JIKJI_RETURN_IF_ERROR(ScreenFixed(call.arguments, field("tool_calls")));
    }
  }
  if (turns.template_variables != nullptr) {
    JIKJI_RETURN_IF_ERROR(
        ScreenFixed(boost::json::serialize(*turns.template_variables), "chat_template_kwargs"));
  }
  return {};
}

ApiResult<> PromptScreen::Screen(CompletionPrompt& prompt, const Tokenizer& tokenizer) const {
  if (guard_ == nullptr) return {};
  if (auto* text = std::get_if<std::string>(&prompt)) return ScreenText(*text, "prompt");
  return ScreenFixed(
      tokenizer.Decode(std::get<std::vector<TokenId>>(prompt), /*skip_special=*/false), "prompt");
}

ApiResult<> PromptScreen::CheckLogprobs(bool asked) const {
  if (!asked || guard_ == nullptr || !guard_->AltersOutput()) return {};
  return BadField("logprobs",
                  "this service masks personal information in answers, which log probabilities "
                  "would spell out: ask without `logprobs` (답변의 개인정보를 가리므로 logprobs를 "
                  "쓸 수 없습니다)");
}

ApiResult<AnswerScreen> AnswerScreen::Start(const guard::Guard* guard, size_t choices,
                                            const CallRecord& record) {
  AnswerScreen screen;
  for (size_t i = 0; guard != nullptr && i < choices; ++i) {
    auto started = Contained([&] { return guard->StartOutput(); });
    if (!started) return std::unexpected(GuardFailed(record.request_id(), started.error()));
    screen.choices_.push_back({std::move(*started)});
  }
  return screen;
}

ApiResult<> AnswerScreen::Pass(size_t index, Delta& delta, const CallRecord& record) {
  if (choices_.empty()) return {};
  Choice& choice = choices_[index];
  if (choice.cut) {
    delta.text.clear();
    return {};
  }
  auto passed = Contained([&] { return choice.guard->Push(delta.text); });
  if (passed && delta.finish && !choice.guard->blocked()) {
    auto rest = Contained([&] { return choice.guard->Finish(); });
    if (!rest)
      passed = std::move(rest);
    else
      *passed += *rest;
  }
  delta.text.clear();
  if (!passed) return std::unexpected(GuardFailed(record.request_id(), passed.error()));
  delta.text = std::move(*passed);
  choice.cut = choice.guard->blocked().has_value();
  if (choice.cut || delta.finish) {
    return NoteCounts(record, "answer", choice.guard->counts(), choice.cut);
  }
  return {};
}

}  // namespace jikji
