#include "engine/step.h"

#include <algorithm>

namespace jikji {

void Step::Build(std::span<const StepPart> planned, const ModelDescription& model, bool chooses) {
  parts.clear();
  tokens.clear();
  slices.clear();
  slice_adapters.clear();
  logit_rows.clear();
  jobs.clear();
  choices.clear();
  streams = static_cast<int32_t>(std::ranges::count_if(planned, &StepPart::decodes));
  for (const StepPart& part : planned) Add(part);
  if (chooses) DescribeChoices(model);
  // From here on nothing fails: all sequences go on, or none.
  for (size_t i = 0; i < parts.size(); ++i) {
    Sequence& sequence = *parts[i].sequence;
    parts[i].prompt_read = sequence.Advance(parts[i].tokens);
    parts[i].ends = sequence.PromptOnlyDone();
  }
  for (const Job& job : jobs) {
    if (job.scored == kSample) {
      parts[job.part].sequence->Await(static_cast<int32_t>(job.first_row));
    }
  }
}

void Step::Add(const StepPart& planned) {
  Sequence& sequence = *planned.sequence;
  const auto first_row = static_cast<int32_t>(tokens.size());
  const int64_t start = sequence.computed();
  const auto known = sequence.tokens().subspan(static_cast<size_t>(start));
  const auto guesses = sequence.guesses().first(static_cast<size_t>(planned.drafts));
  const auto count = std::min(known.size(), static_cast<size_t>(planned.tokens));
  tokens.insert(tokens.end(), known.begin(), known.begin() + static_cast<ptrdiff_t>(count));
  if (count < static_cast<size_t>(planned.tokens)) {
    tokens.push_back(ChosenBefore(sequence.awaited_row()));
  }
  tokens.insert(tokens.end(), guesses.begin(), guesses.end());
  slices.push_back({.first_row = first_row,
                    .tokens = planned.tokens + planned.drafts,
                    .start = static_cast<int32_t>(start),
                    .pages = sequence.pages().pages()});
  slice_adapters.push_back(sequence.request()->request.adapter);
  for (int32_t row = 0; row < planned.tokens; ++row) {
    const bool scores = sequence.ScoresAt(start + row + 1);
    if (!scores && !sequence.SamplesAt(start + row + 1)) continue;
    const int32_t drafts = scores ? 0 : planned.drafts;
    jobs.push_back({.part = parts.size(),
                    .scored = scores ? start + row + 1 : kSample,
                    .first_row = logit_rows.size(),
                    .drafts = drafts});
    for (int32_t i = 0; i <= drafts; ++i) logit_rows.push_back(first_row + row + i);
  }
  parts.push_back({.sequence = &sequence, .tokens = planned.tokens});
}

void Step::DescribeChoices(const ModelDescription& model) {
  choices.assign(logit_rows.size(), {});
  if (adjustments_.size() < choices.size()) adjustments_.resize(choices.size());
  for (const Job& job : jobs) {
    if (job.scored != kSample) continue;
    const Sequence& sequence = *parts[job.part].sequence;
    const int64_t vocab = model.Of(sequence.request()->request.adapter).spec.vocab;
    for (size_t i = 0; i <= static_cast<size_t>(job.drafts); ++i) {
      const size_t row = job.first_row + i;
      sequence.DescribeChoice(i, vocab, adjustments_[row], choices[row]);
    }
  }
}

bool Step::foreseeable() const {
  return submitted && std::ranges::all_of(jobs, [&](const Job& job) {
           const Sequence* sequence = parts[job.part].sequence;
           return sequence == nullptr ||
                  (job.scored == kSample && job.drafts == 0 && choices[job.first_row].asked &&
                   !sequence->needs_history());
         });
}

void Step::Forget(const Sequence& sequence) {
  for (Part& part : parts) {
    if (part.sequence == &sequence) part.sequence = nullptr;
  }
}

}  // namespace jikji
