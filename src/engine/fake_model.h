// Test doubles: a decoder and a tokenizer that compute in microseconds what follows from tokens
// alone, so that scheduling can be tested without a model.
//
// FakeDecoder keeps the tokens themselves in the pages it is given and reads them back through the
// page table: a page that two sequences share, or a position that was skipped, changes the logits.
#ifndef JIKJI_ENGINE_FAKE_MODEL_H_
#define JIKJI_ENGINE_FAKE_MODEL_H_

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "model/model.h"

namespace jikji {

class FakeDecoder : public Decoder {
 public:
  // A sequence that has this token gives logits that are not numbers.
  static constexpr TokenId kPoison = 3;

  explicit FakeDecoder(int64_t vocab = 300, int64_t max_position = 512) {
    spec_.family = "fake";
    spec_.heads = spec_.kv_heads = 1;
    spec_.head_dim = 8;
    spec_.hidden = spec_.intermediate = 8;
    spec_.vocab = vocab;
    spec_.max_position = max_position;
    spec_.layers.resize(1);
  }

  const DecoderSpec& spec() const override { return spec_; }

  // Called at the start of Forward, on the engine's thread.
  std::function<void(const Batch&)> before;
  // What Forward returns in place of success.
  std::function<Result<>()> outcome;
  std::atomic<int64_t> most_rows = 0;

  Result<> Forward(const Batch& batch, KvCache& cache, std::span<float> logits,
                   ThreadPool&) override {
    if (before) before(batch);
    most_rows = std::max<int64_t>(most_rows, static_cast<int64_t>(batch.tokens.size()));
    const auto page_tokens = static_cast<size_t>(cache.page_tokens());
    memory_.resize(static_cast<size_t>(cache.pages()) * page_tokens, -1);
    const auto slot = [&](const kernels::AttentionSlice& slice, int32_t position) -> TokenId& {
      const auto p = static_cast<size_t>(position);
      EXPECT_LT(p / page_tokens, slice.pages.size());
      return memory_[static_cast<size_t>(slice.pages[p / page_tokens]) * page_tokens +
                     p % page_tokens];
    };
    int32_t row = 0;
    for (size_t s = 0; s < batch.slices.size(); ++s) {
      const auto& slice = batch.slices[s];
      const int32_t adapter = batch.adapters.empty() ? kBaseModel : batch.adapters[s];
      EXPECT_EQ(slice.first_row, row);
      EXPECT_GT(slice.tokens, 0);
      for (int32_t i = 0; i < slice.tokens; ++i, ++row) {
        const TokenId token = batch.tokens[static_cast<size_t>(row)];
        EXPECT_TRUE(token >= 0 && token < spec_.vocab);
        slot(slice, slice.start + i) = Stored(token, adapter);
      }
    }
    EXPECT_EQ(static_cast<size_t>(row), batch.tokens.size());
    const auto vocab = static_cast<size_t>(spec_.vocab);
    EXPECT_EQ(logits.size(), batch.logit_rows.size() * vocab);
    size_t wanted = 0;
    for (const auto& slice : batch.slices) {
      for (; wanted < batch.logit_rows.size(); ++wanted) {
        const int32_t i = batch.logit_rows[wanted] - slice.first_row;
        if (i >= slice.tokens) break;
        std::vector<TokenId> history;
        for (int32_t p = 0; p <= slice.start + i; ++p) history.push_back(slot(slice, p));
        Logits(history, logits.subspan(wanted * vocab, vocab));
      }
    }
    EXPECT_EQ(wanted, batch.logit_rows.size());
    return outcome ? outcome() : Result<>();
  }

  // What a page holds of a token depends on the adapter, as keys and values do.
  static TokenId Stored(TokenId token, int32_t adapter) {
    return token + (adapter - kBaseModel) * 1'000'000;
  }

  // What Forward gives for the last of `history`.
  static void Logits(const std::vector<TokenId>& history, std::span<float> logits) {
    uint64_t hash = 1469598103934665603ull;
    for (const TokenId token : history) {
      hash = (hash ^ static_cast<uint64_t>(token)) * 1099511628211ull;
    }
    const bool poisoned = std::find(history.begin(), history.end(), kPoison) != history.end();
    for (float& logit : logits) {
      hash = hash * 6364136223846793005ull + 1442695040888963407ull;
      logit = poisoned ? std::numeric_limits<float>::quiet_NaN()
                       : static_cast<float>(hash >> 40) * 0x1p-21f - 4.0f;
    }
  }

 private:
  DecoderSpec spec_;
  std::vector<TokenId> memory_;
};

// Tokens: 0 is special; from 1 on single bytes of Korean syllables, whole syllables, and letters.
class FakeTokenizer : public Tokenizer {
 public:
  explicit FakeTokenizer(int32_t vocab = 300) {
    const std::string pieces = "가나다라마바사아자차카타파하";
    tokens_ = {"<|end|>"};
    for (int32_t id = 1; id < vocab; ++id) {
      const auto n = static_cast<size_t>(id);
      if (id % 3 == 0) {
        tokens_.push_back(pieces.substr(n % pieces.size(), 1));
      } else if (id % 3 == 1) {
        tokens_.push_back(pieces.substr(n / 3 * 3 % pieces.size(), 3));
      } else {
        tokens_.push_back(std::string(1, static_cast<char>('a' + id % 26)));
      }
    }
  }

  std::vector<TokenId> Encode(std::string_view text, const EncodeOptions&) const override {
    return std::vector<TokenId>(text.size(), 1);
  }
  std::string_view TokenBytes(TokenId id) const override {
    if (id < 0 || static_cast<size_t>(id) >= tokens_.size()) return {};
    return tokens_[static_cast<size_t>(id)];
  }
  bool strips_leading_space() const override { return false; }
  int32_t vocab_size() const override { return static_cast<int32_t>(tokens_.size()); }
  bool IsSpecial(TokenId id) const override { return id == 0; }
  std::optional<TokenId> FindToken(std::string_view) const override { return std::nullopt; }
  std::optional<TokenId> bos() const override { return std::nullopt; }
  std::optional<TokenId> eos() const override { return 0; }
  std::string Description() const override { return "fake"; }

 private:
  std::vector<std::string> tokens_;
};

inline Model FakeModel(std::unique_ptr<FakeDecoder> decoder = std::make_unique<FakeDecoder>()) {
  Model model;
  model.description.name = "fake";
  model.description.spec = decoder->spec();
  model.description.tokenizer =
      std::make_shared<FakeTokenizer>(static_cast<int32_t>(decoder->spec().vocab));
  model.decoder = std::move(decoder);
  return model;
}

}  // namespace jikji

#endif  // JIKJI_ENGINE_FAKE_MODEL_H_
