// Conversations that end in an answer which is known: what does the model answer instead?
//
// Metrics: chrf: character n-grams shared with the known answer (chrF, Popović 2015: n of 1 to 6,
// recall counting twice, spaces left out), mean of the items. exact_match. named: of the numbers,
// institutions and programmes that the known answers name (korean/named.h), the share that is in
// the model's. nats: −log of the known answer's probability, over its tokens and the end's; to be
// compared between models of one tokenizer only.
#ifndef JIKJI_MEASURE_HARNESS_REFERENCE_H_
#define JIKJI_MEASURE_HARNESS_REFERENCE_H_

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "measure/harness/items.h"
#include "measure/harness/metric.h"
#include "measure/harness/scorer.h"

namespace jikji::measure {

// Files as `adapt sft` reads them (adapt/data/chat_sample.h), all samples or the first `limit`. A
// sample that is none, or does not end in an answer of the assistant's, is an error with its place.
Result<std::vector<ReferenceItem>> ReadReferenceItems(const std::filesystem::path& file,
                                                      size_t limit);

// What the model answers to each, in its chat template. An error where it has none.
Result<std::vector<std::string>> AnswerReferenceItems(Scorer& scorer,
                                                      std::span<const ReferenceItem> items,
                                                      const ShowProgress& progress);

// The metrics; nats are of the known answers, the others of `answers`.
Result<std::vector<Metric>> ReferenceMetrics(Scorer& scorer, std::span<const ReferenceItem> items,
                                             std::span<const std::string> answers,
                                             const ShowProgress& progress);

// 0 to 1.
double CharacterF(std::string_view answer, std::string_view reference);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_HARNESS_REFERENCE_H_
