// Steps of a device's decoder that are submitted before the one ahead of them is finished.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <span>
#include <vector>

#include "kernels/gpu/gpu_test.h"
#include "model/golden_models.h"
#include "model/gpu/gpu_decoder.h"

namespace jikji {
namespace {

constexpr int32_t kPageTokens = 8;
constexpr size_t kSequences = 3;

class GpuAhead : public testing::Test {
 protected:
  void SetUp() override {
    const GoldenModel& model = GoldenNamed("qwen3");
    ASSERT_TRUE(WriteFolder(model, folder_.path(), AllAs(DType::kF32)));
    auto described = LoadDecoder(folder_.path());
    ASSERT_TRUE(described);
    auto loaded = LoadGpuDecoder(device_, *Checkpoint::Open(folder_.path()), (*described)->spec(),
                                 {.rows = 40, .slices = 8, .pages = 8});
    ASSERT_TRUE(loaded) << loaded.error().ToString();
    decoder_ = std::move(*loaded);
    auto cache = decoder_->MakeCache(kSequences * 8, kPageTokens, DType::kF16);
    ASSERT_TRUE(cache);
    cache_.emplace(std::move(*cache));
    std::mt19937 random(3 + kernels::gpu::TestSeed());
    for (size_t i = 0; i < kSequences; ++i) {
      for (size_t p = 0; p < 4 + 3 * i; ++p) {
        prompts_[i].push_back(static_cast<int32_t>(random() % static_cast<size_t>(Vocab())));
      }
      for (size_t p = 0; p < 8; ++p) pages_[i].push_back(static_cast<int32_t>(i * 8 + p));
    }
  }

  int32_t Vocab() const { return static_cast<int32_t>(decoder_->spec().vocab); }

  // A step under way. All that it submits is gone before it is finished.
  struct Step {
    std::vector<size_t> order;  // of sequences
    std::vector<RowChoice> choices;
  };

  // Submits a step of the sequences in `order`: their prompts first, then a token each, which is
  // `token`'s. Sequence `by_logits` has its logits in place of a choice.
  template <class TokenOf>
  Result<> Submit(Step& step, const std::vector<size_t>& order, const TokenOf& token,
                  size_t by_logits = kSequences) {
    std::vector<int32_t> tokens, rows;
    std::vector<kernels::AttentionSlice> slices;
    step = {.order = order, .choices = {}};
    for (const size_t i : order) {
      const auto first = static_cast<int32_t>(tokens.size());
      const int32_t start = computed_[i];
      if (start == 0) {
        tokens.insert(tokens.end(), prompts_[i].begin(), prompts_[i].end());
      } else {
        tokens.push_back(token(i));
      }
      const auto count = static_cast<int32_t>(tokens.size()) - first;
      slices.push_back({.first_row = first, .tokens = count, .start = start, .pages = pages_[i]});
      rows.push_back(first + count - 1);
      step.choices.push_back({.asked = i != by_logits, .vocab = Vocab()});
      computed_[i] += count;
    }
    logits_.assign(rows.size() * static_cast<size_t>(Vocab()), -1.0f);
    return decoder_->Submit({.tokens = tokens,
                             .slices = slices,
                             .logit_rows = rows,
                             .adapters = {},
                             .choices = step.choices},
                            *cache_, logits_, pool_);
  }

  TemporaryFolder folder_;
  std::shared_ptr<device::Device> device_ = kernels::gpu::TestDevice();
  std::unique_ptr<Decoder> decoder_;
  std::optional<KvCache> cache_;
  ThreadPool pool_{1};
  std::array<std::vector<int32_t>, kSequences> prompts_, pages_;
  std::array<int32_t, kSequences> computed_{};
  std::vector<float> logits_;
};

TEST_F(GpuAhead, TokensAreThoseOfStepsOneByOne) {
  constexpr int kSteps = 14;
  // In orders that change, so that rows are others in the step before.
  const auto order_of = [](int step) {
    std::vector<size_t> order = {0, 1, 2};
    std::ranges::rotate(order, order.begin() + step % 3);
    if (step % 4 == 3) std::swap(order[0], order[1]);
    return order;
  };
  std::array<std::vector<int32_t>, kSequences> wanted, got;
  Step step;
  for (int i = 0; i < kSteps; ++i) {
    ASSERT_TRUE(Submit(step, order_of(i), [&](size_t s) { return wanted[s].back(); }));
    ASSERT_TRUE(decoder_->Finish(step.choices));
    for (size_t row = 0; row < kSequences; ++row) {
      ASSERT_EQ(step.choices[row].outcome, RowChoice::Outcome::kToken);
      wanted[step.order[row]].push_back(step.choices[row].token);
    }
  }
  computed_ = {};
  std::array<Step, 2> steps;
  const auto finish = [&](int i) {
    Step& first = steps[static_cast<size_t>(i % 2)];
    ASSERT_TRUE(decoder_->Finish(first.choices));
    for (size_t row = 0; row < kSequences; ++row) {
      got[first.order[row]].push_back(first.choices[row].token);
    }
  };
  for (int i = 0; i < kSteps; ++i) {
    Step& next = steps[static_cast<size_t>(i % 2)];
    const std::vector<size_t> before = i > 0 ? order_of(i - 1) : std::vector<size_t>();
    ASSERT_TRUE(Submit(next, order_of(i), [&](size_t s) {
      return ChosenBefore(static_cast<int32_t>(std::ranges::find(before, s) - before.begin()));
    }));
    if (i > 0) finish(i - 1);
  }
  finish(kSteps - 1);
  EXPECT_EQ(got, wanted);
  EXPECT_NE(wanted[0], wanted[1]);
}

// A row whose logits come back is in nobody's way: they are there when Submit returns, and rows
// behind it are found.
TEST_F(GpuAhead, LogitsComeBackAtOnce) {
  Step first, second;
  ASSERT_TRUE(Submit(
      first, {0, 1, 2}, [](size_t) { return 0; }, /*by_logits=*/1));
  EXPECT_FALSE(first.choices[1].asked);
  const auto row =
      std::span(logits_).subspan(static_cast<size_t>(Vocab()), static_cast<size_t>(Vocab()));
  const auto next = static_cast<int32_t>(std::ranges::max_element(row) - row.begin());
  ASSERT_NE(row[0], -1.0f);
  const auto refused = Submit(second, {1}, [](size_t) { return ChosenBefore(1); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  --computed_[1];
  ASSERT_TRUE(Submit(second, {2, 1}, [&](size_t i) { return i == 2 ? ChosenBefore(2) : next; }));
  const auto third = decoder_->Submit({}, *cache_, {}, pool_);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::kInternal);
  ASSERT_TRUE(decoder_->Finish(first.choices));
  ASSERT_TRUE(decoder_->Finish(second.choices));
  EXPECT_FALSE(decoder_->Finish({}));
  EXPECT_EQ(first.choices[1].outcome, RowChoice::Outcome::kLogits);

  // The same with every token known.
  const std::array tokens{first.choices[0].token, next, first.choices[2].token};
  const auto chosen = second.choices;
  computed_ = {};
  ASSERT_TRUE(Submit(first, {0, 1, 2}, [](size_t) { return 0; }));
  ASSERT_TRUE(decoder_->Finish(first.choices));
  for (size_t i = 0; i < kSequences; ++i) EXPECT_EQ(first.choices[i].token, tokens[i]);
  ASSERT_TRUE(Submit(second, {2, 1}, [&](size_t i) { return tokens[i]; }));
  ASSERT_TRUE(decoder_->Finish(second.choices));
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(second.choices[i].token, chosen[i].token);
}

}  // namespace
}  // namespace jikji
