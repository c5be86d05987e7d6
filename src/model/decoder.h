// The decoder: token ids and a paged KV cache to logits, for every family that DecoderSpec
// describes.
//
// Contract (promise 1): the logits of a row depend on the weights, its adapter and the tokens of
// its own sequence up to it, bit for bit; not on other slices, on how the sequence was cut into
// slices, or on threads. Steps are computed by one thread at a time. Implementations: Load's, on
// the processor, and gpu/gpu_decoder.h's.
#ifndef JIKJI_MODEL_DECODER_H_
#define JIKJI_MODEL_DECODER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/error.h"
#include "base/thread_pool.h"
#include "kernels/token_choice.h"
#include "model/decoder_spec.h"
#include "model/kv_cache.h"
#include "model/peft_adapter.h"
#include "tensor/checkpoint.h"

namespace jikji {

// Stands for no adapter.
inline constexpr int32_t kBaseModel = -1;

// A row whose token the decoder may choose, so that no logits need to leave its device.
struct RowChoice {
  enum class Outcome { kLogits, kToken, kNotNumbers, kNothingLeft };

  bool asked = false;  // false: the row's logits are wanted
  kernels::ChoiceParams params = {};
  std::span<const kernels::LogitAdjustment> adjustments = {};  // no token twice
  int32_t vocab = 0;                                           // at most kMostChoiceVocab

  // The answer. kLogits: the decoder did not choose, and the row's logits are there.
  Outcome outcome = Outcome::kLogits;
  int32_t token = 0;  // with kToken
};

// Stands for a token that is not known yet: the one that the step before this one, which is under
// way, chooses for the `row`-th of its rows of logits.
inline constexpr int32_t ChosenBefore(int32_t row) { return -1 - row; }

// One step's work. Slices cover the rows of `tokens` without gaps; pages for their positions are
// theirs already. A slice may read what another of the same batch stores (they share a page): in
// each layer, all keys and values are stored before any are read.
struct Batch {
  std::span<const int32_t> tokens;
  std::span<const kernels::AttentionSlice> slices;
  std::span<const int32_t> logit_rows;  // rows of `tokens` whose logits are wanted, ascending
  // The adapter of each slice, by its number, or kBaseModel; empty: all are the base's.
  std::span<const int32_t> adapters = {};
  // Where the decoder chooses(): one for each of logit_rows; empty: all logits are wanted.
  std::span<RowChoice> choices = {};
};

class Decoder {
 public:
  // Checks every tensor's presence and shape against the spec; copies what it needs.
  // `progress`, if given, is called with a share from 0 to 1.
  static Result<std::unique_ptr<Decoder>> Load(std::shared_ptr<const Checkpoint> checkpoint,
                                               DecoderSpec spec,
                                               const std::function<void(double)>& progress = {});
  virtual ~Decoder() = default;

  virtual const DecoderSpec& spec() const = 0;

  // The adapter's number, from 0 in the order they are added. What was opened is not needed
  // afterwards. Not while Forward runs.
  virtual Result<int32_t> AddAdapter(const PeftAdapter& adapter) {
    return Fail(ErrorCode::kUnsupported, "this decoder takes no adapters", adapter.path.string());
  }

  // Logits from one row to the next: the largest vocabulary of the base and its adapters.
  virtual int64_t logit_stride() const { return spec().vocab; }

  // True where Forward chooses tokens: those that the processor's sampler would, from its logits.
  virtual bool chooses() const { return false; }

  // A cache for Forward, in the memory that this decoder computes in.
  virtual Result<KvCache> MakeCache(int32_t pages, int32_t page_tokens, DType dtype) {
    return KvCache::Create(spec(), pages, page_tokens, dtype);
  }

  // logits: [logit_rows, logit_stride()], of which a row's own vocabulary is written, and nothing
  // of a row whose token is chosen. Token ids must be in [0, vocab) of the base, or of the slice's
  // adapter. `cache` is MakeCache's. kUnavailable: the device is lost, and so is every later call.
  virtual Result<> Forward(const Batch& batch, KvCache& cache, std::span<float> logits,
                           ThreadPool& pool) = 0;

  // Forward in two halves, of which the first comes back while the step runs, but for this: where
  // rows' logits are wanted, they are there. What the batch refers to is not needed afterwards; of
  // its choices, `asked` stays with those that the decoder makes, for Finish. Here: all of Forward.
  virtual Result<> Submit(const Batch& batch, KvCache& cache, std::span<float> logits,
                          ThreadPool& pool) {
    return Forward(batch, cache, logits, pool);
  }
  // Waits for the first step that was submitted and is not finished; `choices` are its batch's.
  virtual Result<> Finish(std::span<RowChoice> /*choices*/) { return {}; }
  // True where one step more may be submitted before the first is finished. They take effect one
  // after the other: memory that the first is done with may be the second's. Tokens of the second
  // may then be ChosenBefore a row of the first that is `asked`; where that has no token, something
  // is computed that is of no use.
  virtual bool runs_ahead() const { return false; }
};

}  // namespace jikji

#endif  // JIKJI_MODEL_DECODER_H_
