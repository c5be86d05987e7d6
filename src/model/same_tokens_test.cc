// Promise 1 at this level: a row's logits are the same bits whatever shares the batch, however the
// sequence is cut, wherever its pages lie, and however many threads run.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "model/golden_models.h"

namespace jikji {
namespace {

constexpr int32_t kPageTokens = 4;
constexpr size_t kSequences = 5;

struct Running {
  std::vector<int32_t> tokens;
  std::vector<float> expected;  // [tokens, vocab]
  std::vector<int32_t> pages;
  int32_t done = 0;
};

class SameTokens : public testing::TestWithParam<std::tuple<std::string, DType, DType>> {
 protected:
  void SetUp() override {
    const auto& [name, weights, cache] = GetParam();
    const GoldenModel& model = GoldenNamed(name);
    const auto path = folder_.path() / "model.gguf";
    if (weights == DType::kF32) {
      ASSERT_TRUE(WriteFolder(model, folder_.path(), AllAs(weights)));
    } else {
      ASSERT_TRUE(WriteGguf(model, path, MatricesAs(weights)));
    }
    auto decoder = LoadDecoder(weights == DType::kF32 ? folder_.path() : path);
    ASSERT_TRUE(decoder) << decoder.error().ToString();
    decoder_ = std::move(*decoder);
  }

  // A sequence of random tokens, and its logits when it runs alone, whole, on one thread.
  Running Alone(size_t length) {
    Running out;
    std::vector<int32_t> rows;
    for (size_t i = 0; i < length; ++i) {
      out.tokens.push_back(static_cast<int32_t>(random_() % 256));
      rows.push_back(static_cast<int32_t>(i));
    }
    out.expected = Sequence(*decoder_, 96, std::get<2>(GetParam())).Run(out.tokens, rows);
    return out;
  }

  // Runs all sequences to their ends in random slices; checks the logits of random rows.
  void RunMixed(std::vector<Running>& all, ThreadPool& pool) {
    const int32_t pages = 24 * static_cast<int32_t>(all.size());
    auto cache = decoder_->MakeCache(pages, kPageTokens, std::get<2>(GetParam()));
    ASSERT_TRUE(cache);
    std::vector<int32_t> free(static_cast<size_t>(pages));
    for (int32_t i = 0; i < pages; ++i) free[static_cast<size_t>(i)] = i;
    std::shuffle(free.begin(), free.end(), random_);
    const size_t vocab = static_cast<size_t>(decoder_->spec().vocab);

    while (true) {
      std::vector<Running*> open;
      for (Running& one : all) {
        if (one.done < static_cast<int32_t>(one.tokens.size())) open.push_back(&one);
      }
      if (open.empty()) return;
      std::shuffle(open.begin(), open.end(), random_);
      open.resize(1 + random_() % open.size());

      std::vector<int32_t> tokens, logit_rows;
      std::vector<kernels::AttentionSlice> slices;
      std::vector<std::span<const float>> expected;
      for (Running* one : open) {
        const int32_t left = static_cast<int32_t>(one->tokens.size()) - one->done;
        const int32_t most = random_() % 2 == 0 ? 1 : 20;  // decode, or prefill
        const int32_t count = 1 + static_cast<int32_t>(random_() % std::min(left, most));
        while (static_cast<int32_t>(one->pages.size()) * kPageTokens < one->done + count) {
          one->pages.push_back(free.back());
          free.pop_back();
        }
        slices.push_back({static_cast<int32_t>(tokens.size()), count, one->done, one->pages});
        for (int32_t i = 0; i < count; ++i) {
          const size_t position = static_cast<size_t>(one->done + i);
          if (random_() % 3 == 0) {
            logit_rows.push_back(static_cast<int32_t>(tokens.size()));
            expected.push_back(std::span(one->expected).subspan(position * vocab, vocab));
          }
          tokens.push_back(one->tokens[position]);
        }
        one->done += count;
      }
      std::vector<float> logits(logit_rows.size() * vocab);
      ASSERT_TRUE(decoder_->Forward({tokens, slices, logit_rows}, *cache, logits, pool));
      for (size_t i = 0; i < logit_rows.size(); ++i) {
        ASSERT_TRUE(std::ranges::equal(std::span(logits).subspan(i * vocab, vocab), expected[i]))
            << "row " << logit_rows[i] << " of " << tokens.size() << ", " << pool.size()
            << " threads";
        ++checked_;
      }
    }
  }

  TemporaryFolder folder_;
  std::unique_ptr<Decoder> decoder_;
  std::mt19937_64 random_{20261123};
  size_t checked_ = 0;
};

TEST_P(SameTokens, HoldInAnySchedule) {
  std::vector<Running> alone;
  for (size_t i = 0; i < kSequences; ++i) alone.push_back(Alone(20 + random_() % 60));
  for (const size_t threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    for (int schedule = 0; schedule < 8; ++schedule) {
      std::vector<Running> all = alone;
      RunMixed(all, pool);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(checked_, 1000u);
}

std::string TestName(const testing::TestParamInfo<SameTokens::ParamType>& info) {
  std::string name = std::get<0>(info.param) + "_" +
                     std::string(DTypeName(std::get<1>(info.param))) + "_cache_" +
                     std::string(DTypeName(std::get<2>(info.param)));
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, SameTokens,
                         testing::Values(std::tuple("llama-bias", DType::kF32, DType::kF32),
                                         std::tuple("llama-yarn", DType::kBF16, DType::kF16),
                                         std::tuple("mistral", DType::kF16, DType::kF16),
                                         std::tuple("qwen2-window", DType::kF32, DType::kF16),
                                         std::tuple("qwen3", DType::kQ8_0, DType::kF16),
                                         std::tuple("qwen3", DType::kQ8_0, DType::kQ8_0),
                                         std::tuple("llama-llama3", DType::kF32, DType::kQ8_0),
                                         std::tuple("exaone4-hybrid", DType::kQ4_0, DType::kF32),
                                         std::tuple("hyperclovax", DType::kF32, DType::kF16)),
                         TestName);

}  // namespace
}  // namespace jikji
