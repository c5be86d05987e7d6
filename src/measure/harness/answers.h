// Answers to items that have no choices: compared word for word, or looked at for script and speech
// level.
#ifndef JIKJI_MEASURE_HARNESS_ANSWERS_H_
#define JIKJI_MEASURE_HARNESS_ANSWERS_H_

#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "measure/harness/items.h"
#include "measure/harness/metric.h"
#include "measure/harness/scorer.h"

namespace jikji::measure {

// The conversation as tokens, up to where the model's answer begins; a model without a chat
// template is asked after "질문:", the last message only.
Result<Prompt> PromptOf(std::span<const ChatMessage> messages, const ModelDescription& model);

// Answers to such prompts.
Result<std::vector<std::string>> AnswerPrompts(Scorer& scorer, std::span<const Prompt> prompts,
                                               const ShowProgress& progress);

// What the model says after each context, up to the end of the line.
Result<std::vector<std::string>> AnswerExactItems(Scorer& scorer, std::span<const ExactItem> items,
                                                  const ShowProgress& progress);

// exact_match: the share of answers equal to the expected, but for white space around them.
std::vector<Metric> ExactMetrics(std::span<const ExactItem> items,
                                 std::span<const std::string> answers);

// What the model answers to each question, asked in its chat template, or where it has none, after
// "질문:".
Result<std::vector<std::string>> AnswerQuestions(Scorer& scorer,
                                                 std::span<const std::string> questions,
                                                 const ShowProgress& progress);

// Shares, of which less is better. confused: answers in another language (korean/scripts.h). han:
// those with Han characters outside of brackets. mixed_levels: of the answers with two sentences
// or more in a speech level, those in more than one.
std::vector<Metric> AnswerMetrics(std::span<const std::string> answers);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_HARNESS_ANSWERS_H_
