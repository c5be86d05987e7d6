#include "model/gpu/gpu_inputs.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <utility>

namespace jikji {
namespace {

constexpr uint64_t kAlignment = 16;
constexpr int32_t kNoPlace = -1;  // of a row that was not chosen
constexpr size_t kFirstMark = 0;  // behind the copy of a step, one for each piece of memory
// Of a step's rows: 32 that penalise 4096 tokens each, in 2.6 MB.
constexpr int64_t kMostAdjustments = 1 << 17;

uint64_t Rounded(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

std::vector<int32_t> WindowsOf(const DecoderSpec& spec) {
  std::vector<int32_t> windows;
  for (const LayerSpec& layer : spec.layers) windows.push_back(layer.window);
  std::ranges::sort(windows);
  windows.erase(std::ranges::unique(windows).begin(), windows.end());
  return windows;
}

// Items of no rows up to a power of two, or to as many as there may be.
void FillUp(std::vector<kernels::gpu::AttentionItem>& items, int64_t most) {
  if (items.empty()) return;
  const auto wanted = static_cast<int64_t>(std::bit_ceil(std::max<size_t>(items.size(), 16)));
  kernels::gpu::AttentionItem nothing{};
  nothing.heads = nothing.whole = 1;
  items.resize(std::max(items.size(), static_cast<size_t>(std::min(wanted, most))), nothing);
}

}  // namespace

uint64_t GpuInputs::Bytes(const DecoderSpec& spec, const GpuLimits& limits, int64_t most_parts) {
  const auto of = [](int64_t count, uint64_t each) {
    return Rounded(static_cast<uint64_t>(count) * each);
  };
  constexpr uint64_t kItem = sizeof(kernels::gpu::AttentionItem);
  const int64_t tiles =
      limits.rows * kernels::gpu::UnsplitParts(1, static_cast<int32_t>(spec.heads),
                                               static_cast<int32_t>(spec.kv_heads));
  return 7 * of(limits.rows, sizeof(int32_t)) + of(limits.rows, sizeof(kernels::gpu::ChooseRow)) +
         of(kMostAdjustments, sizeof(kernels::LogitAdjustment)) +
         of(int64_t{limits.slices} * limits.pages, sizeof(int32_t)) +
         WindowsOf(spec).size() * (of(most_parts, kItem) + of(tiles, kItem));
}

GpuInputs::GpuInputs(const DecoderSpec& spec)
    : heads_(static_cast<int32_t>(spec.heads)), kv_heads_(static_cast<int32_t>(spec.kv_heads)) {
  for (const int32_t window : WindowsOf(spec)) attention_.push_back({.window = window});
  plans_.resize(attention_.size());
}

Result<> GpuInputs::Create(device::Device& device, uint64_t bytes) {
  for (device::Buffer& piece : bytes_) {
    JIKJI_ASSIGN(piece, device.AllocateHost(bytes));
  }
  return {};
}

template <class T>
T* GpuInputs::Add(std::span<const T> values, std::byte* to) {
  const uint64_t at = used_;
  used_ += Rounded(values.size_bytes());
  if (!values.empty()) std::memcpy(bytes_[turn_].data() + at, values.data(), values.size_bytes());
  return reinterpret_cast<T*>(to + at);
}

// From rows of the step before to places among those that it chose, which chosen_asked_ still has.
// ChosenBefore is its own inverse.
Result<> GpuInputs::FindChosen() {
  takes_chosen_ = std::ranges::any_of(tokens_, [](int32_t token) { return token < 0; });
  if (!takes_chosen_) return {};
  places_.clear();
  for (size_t place = 0; place < chosen_asked_.size(); ++place) {
    const auto asked = static_cast<size_t>(chosen_asked_[place]);
    if (places_.size() <= asked) places_.resize(asked + 1, kNoPlace);
    places_[asked] = static_cast<int32_t>(place);
  }
  for (int32_t& token : tokens_) {
    if (token >= 0) continue;
    const auto row = static_cast<size_t>(ChosenBefore(token));
    if (row >= places_.size() || places_[row] == kNoPlace) {
      return Fail(ErrorCode::kInvalidArgument,
                  "a step wants a token that the one before it does not choose");
    }
    token = ChosenBefore(places_[row]);
  }
  return {};
}

void GpuInputs::PlanRows(const Batch& batch, int32_t page_tokens, int32_t padded_rows) {
  const size_t rows = std::max(batch.tokens.size(), static_cast<size_t>(padded_rows));
  tokens_.assign(batch.tokens.begin(), batch.tokens.end());
  tokens_.resize(rows, 0);
  positions_.assign(rows, 0);
  slots_.assign(rows, -1);
  for (const kernels::AttentionSlice& slice : batch.slices) {
    for (int32_t i = 0; i < slice.tokens; ++i) {
      const auto row = static_cast<size_t>(slice.first_row + i);
      const int32_t position = slice.start + i;
      positions_[row] = position;
      slots_[row] = slice.pages[static_cast<size_t>(position / page_tokens)] * page_tokens +
                    position % page_tokens;
    }
  }
  PlanAdapters(batch, padded_rows);
}

int32_t GpuInputs::HeadOf(int32_t adapter) const {
  return adapter != kBaseModel && owns_[static_cast<size_t>(adapter)].head ? adapter : kBaseModel;
}

// Which adapters the rows have, and in which order their logits are computed.
void GpuInputs::PlanAdapters(const Batch& batch, int32_t padded_rows) {
  adapters_.clear();
  logit_adapters_.clear();
  embeddings_.clear();
  logit_order_.resize(batch.logit_rows.size());
  std::iota(logit_order_.begin(), logit_order_.end(), 0);
  const auto row_of = [&](int32_t i) { return batch.logit_rows[static_cast<size_t>(i)]; };
  const bool any = std::ranges::any_of(batch.adapters, [](int32_t a) { return a != kBaseModel; });
  if (any) {
    adapters_.assign(tokens_.size(), kBaseModel);
    for (size_t s = 0; s < batch.slices.size(); ++s) {
      std::fill_n(adapters_.begin() + batch.slices[s].first_row, batch.slices[s].tokens,
                  batch.adapters[s]);
    }
    std::ranges::stable_sort(logit_order_, {}, [&](int32_t i) {
      return HeadOf(adapters_[static_cast<size_t>(row_of(i))]);
    });
  }
  logit_rows_.clear();
  for (const int32_t i : logit_order_) logit_rows_.push_back(row_of(i));
  for (auto row = static_cast<int32_t>(logit_rows_.size()); row < padded_rows; ++row) {
    logit_rows_.push_back(row);
  }
  if (!any) return PlanRuns();
  for (const int32_t row : logit_rows_) {
    logit_adapters_.push_back(adapters_[static_cast<size_t>(row)]);
  }
  const auto own = [&](int32_t a) {
    return a != kBaseModel && owns_[static_cast<size_t>(a)].embedding;
  };
  if (std::ranges::any_of(adapters_, own)) {
    for (const int32_t a : adapters_) embeddings_.push_back(own(a) ? a : kBaseModel);
  }
  PlanRuns();
}

void GpuInputs::PlanRuns() {
  runs_.clear();
  for (int32_t row = 0; std::cmp_less(row, logit_order_.size()); ++row) {
    const int32_t head =
        logit_adapters_.empty() ? kBaseModel : HeadOf(logit_adapters_[static_cast<size_t>(row)]);
    if (runs_.empty() || runs_.back().head != head || runs_.back().rows == kGpuLogitRows) {
      runs_.push_back({.first = row, .rows = 0, .head = head});
    }
    ++runs_.back().rows;
  }
}

Result<> GpuInputs::Send(device::Device& device, std::byte* to, const Batch& batch,
                         int32_t page_tokens, int64_t most_parts, int32_t padded_rows) {
  turn_ = 1 - turn_;
  JIKJI_RETURN_IF_ERROR(device.Wait(kFirstMark + turn_));
  PlanRows(batch, page_tokens, padded_rows);
  JIKJI_RETURN_IF_ERROR(FindChosen());
  PlanChoices(batch.choices);
  used_ = 0;
  tokens = Add(std::span<const int32_t>(tokens_), to);
  positions = Add(std::span<const int32_t>(positions_), to);
  slots = Add(std::span<const int32_t>(slots_), to);
  logit_rows = Add(std::span<const int32_t>(logit_rows_), to);
  adapters = logit_adapters = embeddings = nullptr;
  if (!adapters_.empty()) {
    adapters = Add(std::span<const int32_t>(adapters_), to);
    logit_adapters = Add(std::span<const int32_t>(logit_adapters_), to);
  }
  if (!embeddings_.empty()) embeddings = Add(std::span<const int32_t>(embeddings_), to);
  for (size_t i = 0; i < plans_.size(); ++i) {
    kernels::gpu::AttentionPlan& plan = plans_[i];
    plan.Make(batch.slices, heads_, kv_heads_, page_tokens, attention_[i].window, most_parts);
    if (padded_rows > 0) {
      FillUp(plan.items, most_parts);
      FillUp(plan.merges, kernels::gpu::UnsplitParts(1, heads_, kv_heads_) * padded_rows);
    }
    attention_[i].items = Add(std::span<const kernels::gpu::AttentionItem>(plan.items), to);
    attention_[i].merges = Add(std::span<const kernels::gpu::AttentionItem>(plan.merges), to);
    attention_[i].item_count = static_cast<int32_t>(plan.items.size());
    attention_[i].merge_count = static_cast<int32_t>(plan.merges.size());
  }
  // The slices' pages are the same in every plan. Here and below, no launch knows how many.
  pages = Add(std::span<const int32_t>(plans_.front().pages), to);
  choose_rows = Add(std::span<const kernels::gpu::ChooseRow>(choose_rows_), to);
  adjustments = Add(std::span<const kernels::LogitAdjustment>(adjustments_), to);
  JIKJI_RETURN_IF_ERROR(device.CopyToDevice(to, bytes_[turn_].data(), used_));
  return device.Mark(kFirstMark + turn_);
}

GpuGraphs::Shape GpuInputs::shape() const {
  // Embeddings of adapters are launched all of them, however many have been added.
  const int64_t own = embeddings_.empty() ? 1 : 1 + static_cast<int64_t>(owns_.size());
  const int64_t adapters = adapters_.empty() ? 0 : own;
  GpuGraphs::Shape shape = {static_cast<int64_t>(tokens_.size()), adapters};
  for (const Attention& attention : attention_) {
    shape.push_back(attention.item_count);
    shape.push_back(attention.merge_count);
  }
  return shape;
}

void GpuInputs::PlanChoices(std::span<RowChoice> choices) {
  chosen_.clear();
  choose_rows_.clear();
  adjustments_.clear();
  chosen_asked_.clear();
  if (choices.empty()) return;
  for (const LogitRun& run : runs_) {
    for (int32_t i = 0; i < run.rows; ++i) {
      const int32_t row = run.first + i;
      const int32_t asked = logit_order_[static_cast<size_t>(row)];
      RowChoice& choice = choices[static_cast<size_t>(asked)];
      choice.asked =
          choice.asked && choice.adjustments.size() <= kMostAdjustments - adjustments_.size();
      if (!choice.asked) continue;
      chosen_.push_back(row);
      chosen_asked_.push_back(asked);
      choose_rows_.push_back({.params = choice.params,
                              .row = i,
                              .first_adjustment = static_cast<int32_t>(adjustments_.size()),
                              .adjustments = static_cast<int32_t>(choice.adjustments.size()),
                              .vocab = choice.vocab});
      adjustments_.insert(adjustments_.end(), choice.adjustments.begin(), choice.adjustments.end());
    }
  }
}

const GpuInputs::Attention& GpuInputs::OfWindow(int32_t window) const {
  return *std::ranges::find(attention_, window, &Attention::window);
}

}  // namespace jikji
