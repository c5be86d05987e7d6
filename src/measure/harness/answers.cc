#include "measure/harness/answers.h"

#include <boost/json.hpp>
#include <ctime>

#include "measure/korean/scripts.h"
#include "measure/korean/speech_level.h"

namespace jikji::measure {
namespace {

// Longer than any number; an answer that goes on is wrong anyway.
constexpr int64_t kExactTokens = 32;
// Some sentences: enough to see what an answer is written in.
constexpr int64_t kAnswerTokens = 192;
// Templates that print the date get this one, so that an evaluation is the same tomorrow:
// 2026-01-01.
constexpr int64_t kDate = 1767225600;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

Metric Share(std::string name) {
  return {.name = std::move(name),
          .kind = MetricKind::kMean,
          .first = {},
          .second = {},
          .lower_is_better = true};
}

}  // namespace

Result<Prompt> PromptOf(std::span<const ChatMessage> messages, const ModelDescription& model) {
  Prompt prompt;
  prompt.max_tokens = kAnswerTokens;
  if (model.chat_template == nullptr) {
    prompt.tokens = model.tokenizer->Encode("질문: " + messages.back().content + "\n답변:");
    prompt.stop = {"\n"};
    return prompt;
  }
  boost::json::array turns;
  for (const ChatMessage& message : messages) {
    turns.push_back({{"role", message.role}, {"content", message.content}});
  }
  boost::json::object variables = {{"messages", std::move(turns)},
                                   {"tools", nullptr},
                                   {"documents", nullptr},
                                   {"add_generation_prompt", true}};
  if (!model.bos_token.empty()) variables["bos_token"] = model.bos_token;
  if (!model.eos_token.empty()) variables["eos_token"] = model.eos_token;
  JIKJI_ASSIGN(const std::string text, model.chat_template->Render(variables, kDate));
  prompt.tokens = model.tokenizer->Encode(text, {.add_special = false, .parse_special = true});
  return prompt;
}

Result<std::vector<std::string>> AnswerPrompts(Scorer& scorer, std::span<const Prompt> prompts,
                                               const ShowProgress& progress) {
  JIKJI_ASSIGN(auto generated, scorer.Generate(prompts, progress));
  std::vector<std::string> texts;
  for (Generated& one : generated) texts.push_back(std::move(one.text));
  return texts;
}

Result<std::vector<std::string>> AnswerExactItems(Scorer& scorer, std::span<const ExactItem> items,
                                                  const ShowProgress& progress) {
  std::vector<Prompt> prompts;
  for (const ExactItem& item : items) {
    prompts.push_back({.tokens = scorer.engine().model().tokenizer->Encode(item.context),
                       .stop = {"\n"},
                       .max_tokens = kExactTokens});
  }
  return AnswerPrompts(scorer, prompts, progress);
}

std::vector<Metric> ExactMetrics(std::span<const ExactItem> items,
                                 std::span<const std::string> answers) {
  Metric exact{.name = "exact_match", .kind = MetricKind::kMean, .first = {}, .second = {}};
  for (size_t i = 0; i < items.size(); ++i) {
    exact.first.push_back(Trim(answers[i]) == Trim(items[i].answer) ? 1 : 0);
  }
  return {exact};
}

Result<std::vector<std::string>> AnswerQuestions(Scorer& scorer,
                                                 std::span<const std::string> questions,
                                                 const ShowProgress& progress) {
  std::vector<Prompt> prompts;
  for (const std::string& question : questions) {
    const ChatMessage asked{"user", question};
    JIKJI_ASSIGN(Prompt prompt, PromptOf({&asked, 1}, scorer.engine().model()));
    prompts.push_back(std::move(prompt));
  }
  return AnswerPrompts(scorer, prompts, progress);
}

std::vector<Metric> AnswerMetrics(std::span<const std::string> answers) {
  Metric confused = Share("confused"), han = Share("han"), mixed = Share("mixed_levels");
  mixed.kind = MetricKind::kRatio;
  for (const std::string& answer : answers) {
    const ScriptUse use = CountScripts(answer);
    confused.first.push_back(use.confused() ? 1 : 0);
    han.first.push_back(use.han > 0 ? 1 : 0);
    const auto levels = SpeechLevels(answer);
    mixed.first.push_back(MixesLevels(levels) ? 1 : 0);
    mixed.second.push_back(levels.size() >= 2 ? 1 : 0);
  }
  return {confused, han, mixed};
}

}  // namespace jikji::measure
