// A FakeDecoder as on a device: it chooses tokens, and computes a step either when it is submitted
// or as late as it may, when it is finished. For tests of steps that are planned ahead.
#ifndef JIKJI_ENGINE_FAKE_DEVICE_H_
#define JIKJI_ENGINE_FAKE_DEVICE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "engine/fake_model.h"

namespace jikji {

class FakeDevice : public FakeDecoder {
 public:
  using FakeDecoder::FakeDecoder;

  bool chooses() const override { return true; }
  bool runs_ahead() const override { return true; }

  // Whether the next step is computed when it is finished.
  std::function<bool()> late = [] { return true; };
  // What Submit returns before it does anything.
  std::function<Result<>()> submit = [] { return Result<>(); };
  // Steps that are submitted and not finished.
  std::atomic<int> under_way = 0;

  Result<> Submit(const Batch& batch, KvCache& cache, std::span<float> logits,
                  ThreadPool& pool) override {
    if (auto submitted = submit(); !submitted) return submitted;
    EXPECT_LT(under_way, 2);
    steps_.emplace_back(batch, cache, pool);
    ++under_way;
    const bool wanted =
        std::ranges::any_of(batch.choices, [](const RowChoice& choice) { return !choice.asked; });
    if (!wanted && late()) return {};
    for (FakeStep& step : steps_) Compute(step);
    const auto vocab = static_cast<size_t>(spec().vocab);
    for (size_t row = 0; row < batch.choices.size(); ++row) {
      if (batch.choices[row].asked) continue;
      std::ranges::copy(std::span(steps_.back().logits).subspan(row * vocab, vocab),
                        logits.begin() + static_cast<ptrdiff_t>(row * vocab));
    }
    return {};
  }

  Result<> Finish(std::span<RowChoice> choices) override {
    if (steps_.empty()) return Fail(ErrorCode::kInternal, "no step is under way");
    FakeStep step = std::move(steps_.front());
    Compute(step);
    steps_.pop_front();
    --under_way;
    EXPECT_EQ(choices.size(), step.choices.size());
    for (const auto& [row, token] : step.chosen) {
      choices[row].outcome =
          token < 0 ? RowChoice::Outcome::kNotNumbers : RowChoice::Outcome::kToken;
      choices[row].token = token;
    }
    return step.outcome;
  }

  Result<> Forward(const Batch&, KvCache&, std::span<float>, ThreadPool&) override {
    return Fail(ErrorCode::kInternal, "steps are submitted");
  }

 private:
  // All that a step needs, since nothing of its batch may be used after Submit.
  struct FakeStep {
    FakeStep(const Batch& batch, KvCache& its_cache, ThreadPool& its_pool)
        : tokens(batch.tokens.begin(), batch.tokens.end()),
          slices(batch.slices.begin(), batch.slices.end()),
          rows(batch.logit_rows.begin(), batch.logit_rows.end()),
          adapters(batch.adapters.begin(), batch.adapters.end()),
          choices(batch.choices.begin(), batch.choices.end()),
          cache(&its_cache),
          pool(&its_pool) {
      for (auto& slice : slices) pages.emplace_back(slice.pages.begin(), slice.pages.end());
      for (auto& choice : choices) {
        adjustments.emplace_back(choice.adjustments.begin(), choice.adjustments.end());
      }
    }

    std::vector<int32_t> tokens;
    std::vector<kernels::AttentionSlice> slices;
    std::vector<std::vector<int32_t>> pages;
    std::vector<int32_t> rows, adapters;
    std::vector<RowChoice> choices;
    std::vector<std::vector<kernels::LogitAdjustment>> adjustments;
    KvCache* cache;
    ThreadPool* pool;
    bool computed = false;
    std::vector<float> logits;
    std::map<size_t, TokenId> chosen;  // by row; negative: there was none
    Result<> outcome = {};
  };

  void Compute(FakeStep& step) {
    if (std::exchange(step.computed, true)) return;
    for (TokenId& token : step.tokens) {
      if (token >= 0) continue;
      const auto row = static_cast<size_t>(ChosenBefore(token));
      EXPECT_TRUE(chosen_before_.contains(row)) << "row " << row << " was not chosen";
      token = std::max(0, chosen_before_[row]);
    }
    for (size_t i = 0; i < step.slices.size(); ++i) step.slices[i].pages = step.pages[i];
    const auto vocab = static_cast<size_t>(spec().vocab);
    step.logits.resize(step.rows.size() * vocab);
    step.outcome = FakeDecoder::Forward({.tokens = step.tokens,
                                         .slices = step.slices,
                                         .logit_rows = step.rows,
                                         .adapters = step.adapters},
                                        *step.cache, step.logits, *step.pool);
    for (size_t row = 0; row < step.choices.size(); ++row) {
      if (!step.choices[row].asked) continue;
      const auto begin = step.logits.begin() + static_cast<ptrdiff_t>(row * vocab);
      step.chosen[row] = Choose({begin, begin + static_cast<ptrdiff_t>(vocab)}, step.choices[row],
                                step.adjustments[row]);
    }
    chosen_before_ = step.chosen;
  }

  // As the processor's sampler, of all tokens: the tests that use this cut none.
  static TokenId Choose(std::vector<float> logits, const RowChoice& choice,
                        const std::vector<kernels::LogitAdjustment>& adjustments) {
    const kernels::ChoiceParams& params = choice.params;
    EXPECT_TRUE(params.top_p >= 1 && params.top_k == 0 && std::isinf(params.floor));
    if (!std::ranges::all_of(logits, [](float logit) { return std::isfinite(logit); })) return -1;
    for (const auto& by : adjustments) {
      float& logit = logits[static_cast<size_t>(by.token)];
      logit = kernels::AdjustedLogit(logit, by, params.repetition);
    }
    const auto top = std::ranges::max_element(logits);
    const float scale = params.inverse_temperature;
    if (scale == 0) return static_cast<TokenId>(top - logits.begin());
    uint64_t total = 0;
    for (const float logit : logits) total += kernels::TokenWeight(logit, *top, scale);
    uint64_t left = kernels::DrawTarget(params.random, total);
    TokenId token = 0;
    for (;; ++token) {
      const float logit = logits[static_cast<size_t>(token)];
      const uint64_t weight = kernels::TokenWeight(logit, *top, scale);
      if (left < weight) return token;
      left -= weight;
    }
  }

  std::deque<FakeStep> steps_;
  std::map<size_t, TokenId> chosen_before_;
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_FAKE_DEVICE_H_
