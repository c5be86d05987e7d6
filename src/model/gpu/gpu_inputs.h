// What a step tells the device: tokens, positions, slots, rows, and the plan of its attention, in
// one copy, from one of two pieces of memory in turn, so that the copies of two steps may be under
// way. A step that repeats is filled up with rows that are no token's, and with attention of
// no rows, so that its shape is one of few.
#ifndef JIKJI_MODEL_GPU_GPU_INPUTS_H_
#define JIKJI_MODEL_GPU_GPU_INPUTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "device/device.h"
#include "kernels/gpu/attention_plan.h"
#include "kernels/gpu/choose.h"
#include "model/decoder.h"
#include "model/gpu/gpu_graphs.h"
#include "model/gpu/gpu_limits.h"

namespace jikji {

// Addresses are of the device.
class GpuInputs {
 public:
  // Attention of layers that have the same window.
  struct Attention {
    int32_t window = 0;
    const kernels::gpu::AttentionItem* items = nullptr;
    const kernels::gpu::AttentionItem* merges = nullptr;
    int32_t item_count = 0, merge_count = 0;
  };

  // Rows of logits that one head multiplies together, at most kGpuLogitRows of them.
  struct LogitRun {
    int32_t first = 0, rows = 0;
    int32_t head = kBaseModel;  // the adapter whose it is, or the base's
  };

  // Bytes of the largest step.
  static uint64_t Bytes(const DecoderSpec& spec, const GpuLimits& limits, int64_t most_parts);

  explicit GpuInputs(const DecoderSpec& spec);

  // Takes the host's memory for two steps of at most so many bytes.
  Result<> Create(device::Device& device, uint64_t bytes);

  // The next adapter, and what it has of its own.
  void AddAdapter(bool own_embedding, bool own_head) { owns_.push_back({own_embedding, own_head}); }

  // Copies the step to `to`, behind the one before. The step is within the limits. What is not
  // chosen on the device is no more `asked` of the batch's choices. kInvalidArgument: a token is
  // ChosenBefore a row that was not.
  // `padded_rows`, if not 0: the rows that it is filled up to, all of whose logits are wanted.
  Result<> Send(device::Device& device, std::byte* to, const Batch& batch, int32_t page_tokens,
                int64_t most_parts, int32_t padded_rows);

  // Of a step that was filled up, what launches depend on: where two are equal, all addresses and
  // counts here are, but for the choices.
  GpuGraphs::Shape shape() const;

  int32_t* tokens = nullptr;            // [rows]
  const int32_t* positions = nullptr;   // [rows]
  const int32_t* slots = nullptr;       // [rows]: page · page_tokens + slot
  const int32_t* logit_rows = nullptr;  // [wanted], those of one head together
  // Adapters of rows and of logit_rows; nullptr: all are the base's.
  const int32_t* adapters = nullptr;
  const int32_t* logit_adapters = nullptr;
  // Of rows: the adapter whose embedding it has, or the base; nullptr: all have the base's.
  const int32_t* embeddings = nullptr;
  const int32_t* pages = nullptr;  // of the slices, one after another
  // Rows of logits whose tokens are chosen on the device: of each run those of the run, by their
  // number in it. Rows whose adjustments have no room are not among them.
  const kernels::gpu::ChooseRow* choose_rows = nullptr;
  const kernels::LogitAdjustment* adjustments = nullptr;
  std::span<const int32_t> chosen() const { return chosen_; }  // of logit_rows, ascending
  // Of each of them, which of the batch's logit_rows it is.
  std::span<const int32_t> chosen_asked() const { return chosen_asked_; }
  std::span<const LogitRun> runs() const { return runs_; }
  // Which of the batch's logit_rows each one here is.
  std::span<const int32_t> logit_order() const { return logit_order_; }
  // Tokens are to be taken from what the step before chose (jikji_take_chosen).
  bool takes_chosen() const { return takes_chosen_; }
  int32_t rows() const { return static_cast<int32_t>(tokens_.size()); }  // of tokens

  const Attention& OfWindow(int32_t window) const;

 private:
  template <class T>
  T* Add(std::span<const T> values, std::byte* to);
  Result<> FindChosen();
  void PlanRows(const Batch& batch, int32_t page_tokens, int32_t padded_rows);
  void PlanAdapters(const Batch& batch, int32_t padded_rows);
  int32_t HeadOf(int32_t adapter) const;
  void PlanRuns();
  int32_t heads_, kv_heads_;
  std::vector<Attention> attention_;  // one for each window that layers have
  std::vector<kernels::gpu::AttentionPlan> plans_;
  void PlanChoices(std::span<RowChoice> choices);

  std::vector<int32_t> tokens_, positions_, slots_, logit_rows_;
  std::vector<int32_t> adapters_, logit_adapters_;  // empty: all are the base's
  std::vector<int32_t> embeddings_;                 // empty: all have the base's
  std::vector<int32_t> logit_order_;
  std::vector<LogitRun> runs_;
  struct Owns {
    bool embedding, head;
  };
  std::vector<Owns> owns_;  // by adapter
  std::vector<int32_t> chosen_, chosen_asked_;
  std::vector<kernels::gpu::ChooseRow> choose_rows_;
  std::vector<kernels::LogitAdjustment> adjustments_;
  std::vector<int32_t> places_;  // among those that the step before chose, by its row
  bool takes_chosen_ = false;
  std::array<device::Buffer, 2> bytes_;  // of the host
  size_t turn_ = 0;                      // which of them, and which mark
  uint64_t used_ = 0;
};

}  // namespace jikji

#endif  // JIKJI_MODEL_GPU_GPU_INPUTS_H_
