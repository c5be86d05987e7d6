#include "measure/harness/evaluate.h"

#include <fmt/format.h>

#include <numeric>

#include "measure/harness/answers.h"
#include "measure/harness/few_shot.h"
#include "measure/harness/reference.h"

namespace jikji::measure {
namespace {

// Every choice of every item behind its context, item by item.
Result<std::vector<ScoreTokens>> EncodeChoices(const Task& task, size_t shots, uint64_t seed,
                                               const Engine& engine) {
  const Tokenizer& tokenizer = *engine.model().tokenizer;
  const auto most = static_cast<size_t>(engine.options().context);
  const auto& examples = task.examples.empty() ? task.items : task.examples;
  std::vector<ScoreTokens> texts;
  for (size_t i = 0; i < task.items.size(); ++i) {
    const ChoiceItem& item = task.items[i];
    const std::string context = FewShotText(examples, item, i, shots, seed) + item.context;
    for (const std::string& choice : item.choices) {
      auto tokens = EncodePair(tokenizer, context, kTargetDelimiter + choice);
      Result<> fits;
      if (tokens) fits = TruncateLeft(most, *tokens);
      if (!tokens || !fits) {
        const Error& error = tokens ? fits.error() : tokens.error();
        return Fail(error.code, error.message, fmt::format("{}, item {}", task.name, i + 1));
      }
      texts.push_back(std::move(*tokens));
    }
  }
  return texts;
}

Result<> ScoreChoices(Scorer& scorer, const Task& task, size_t shots, uint64_t seed,
                      const ShowProgress& progress, TaskResult& result) {
  JIKJI_ASSIGN(const auto texts, EncodeChoices(task, shots, seed, scorer.engine()));
  JIKJI_ASSIGN(const auto logprobs, scorer.Score(texts, progress));
  size_t next = 0;
  for (const ChoiceItem& item : task.items) {
    std::vector<double> sums(item.choices.size());
    for (double& sum : sums) {
      const auto& tokens = logprobs[next++];
      sum = std::accumulate(tokens.begin(), tokens.end(), 0.0);
    }
    result.gold.push_back(item.gold);
    result.loglikelihoods.push_back(std::move(sums));
  }
  result.metrics = ChoiceMetrics(task.items, result.loglikelihoods);
  return {};
}

}  // namespace

Result<TaskResult> Evaluate(Scorer& scorer, const Task& task, size_t shots, uint64_t seed,
                            const ShowProgress& progress) {
  TaskResult result;
  result.name = task.name;
  result.group = task.group;
  if (!task.exact.empty()) {
    JIKJI_ASSIGN(result.answers, AnswerExactItems(scorer, task.exact, progress));
    result.metrics = ExactMetrics(task.exact, result.answers);
  } else if (!task.questions.empty()) {
    JIKJI_ASSIGN(result.answers, AnswerQuestions(scorer, task.questions, progress));
    result.metrics = AnswerMetrics(result.answers);
  } else if (!task.chats.empty()) {
    JIKJI_ASSIGN(result.answers, AnswerReferenceItems(scorer, task.chats, progress));
    JIKJI_ASSIGN(result.metrics, ReferenceMetrics(scorer, task.chats, result.answers, progress));
  } else {
    JIKJI_RETURN_IF_ERROR(ScoreChoices(scorer, task, shots, seed, progress, result));
  }
  return result;
}

}  // namespace jikji::measure
