#include "model/gpu/gpu_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "kernels/gpu/choose.h"
#include "kernels/gpu/heads.h"
#include "kernels/gpu/ops.h"
#include "model/gpu/gpu_adapters.h"
#include "model/gpu/gpu_chosen.h"
#include "model/gpu/gpu_gather.h"
#include "model/gpu/gpu_inputs.h"
#include "model/gpu/gpu_scratch.h"
#include "model/gpu/gpu_weights.h"
#include "model/layer_parts.h"
#include "model/rope.h"

namespace jikji {
namespace {

namespace gpu = kernels::gpu;

// A grid's second dimension has 16 bits, and some kernels have a block there for each row.
constexpr int32_t kMostRows = 65535;

uint32_t Blocks(int64_t count, int64_t of_block) {
  return static_cast<uint32_t>((count + of_block - 1) / of_block);
}

Result<> CheckSpec(const DecoderSpec& spec, const GpuLimits& limits) {
  if (spec.head_dim % 8 != 0 || spec.head_dim > gpu::kMostHeadDim) {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("on a GPU heads have up to {} values, in eights; this model's have {}: "
                            "serve it on the processor",
                            gpu::kMostHeadDim, spec.head_dim));
  }
  if (limits.rows < 1 || limits.rows > kMostRows || limits.slices < 1 || limits.pages < 1) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a step on a GPU has 1 to {} tokens, not {}; lower --step-tokens",
                            kMostRows, limits.rows));
  }
  return {};
}

class GpuDecoder : public Decoder {
 public:
  GpuDecoder(std::shared_ptr<device::Device> device, std::shared_ptr<const Checkpoint> checkpoint,
             DecoderSpec spec, GpuLimits limits, const GpuCut& cut)
      : device_(std::move(device)),
        checkpoint_(std::move(checkpoint)),
        spec_(std::move(spec)),
        cut_(cut),
        own_(SpecOf(spec_, cut)),
        limits_(limits),
        inputs_(own_),
        graphs_(cut.whole()) {
    query_scale_ = spec_.attention_scale != 0
                       ? spec_.attention_scale
                       : static_cast<float>(1.0 / std::sqrt(static_cast<double>(spec_.head_dim)));
  }

  Result<> Load(const std::function<void(double)>& progress) {
    JIKJI_ASSIGN(std::vector<WeightSource> sources, FindWeights(*checkpoint_, spec_));
    const CutWeights cut(std::move(sources), cut_);
    JIKJI_RETURN_IF_ERROR(s_.Create(*device_, own_, limits_));
    JIKJI_RETURN_IF_ERROR(gather_.Create(*device_, spec_, limits_, cut_));
    JIKJI_RETURN_IF_ERROR(inputs_.Create(*device_, s_.input_bytes));
    JIKJI_RETURN_IF_ERROR(chosen_.Create(*device_, limits_.rows));
    adapters_.emplace(spec_, limits_, cut_, s_.adapter_table);
    const RopeTable rope = MakeRopeTable(spec_.rope, spec_.head_dim);
    rope_magnitude_ = rope.magnitude;
    JIKJI_RETURN_IF_ERROR(device_->CopyToDevice(reinterpret_cast<std::byte*>(s_.inv_freq),
                                                rope.inv_freq.data(),
                                                rope.inv_freq.size() * sizeof(float)));
    JIKJI_ASSIGN(weights_, LoadGpuWeights(*device_, *checkpoint_, spec_, cut.sources(), progress));
    if (spec_.tied_head) {
      const GpuCut::Rows rows = cut_.Of(TensorRole::kHead, spec_.vocab);
      weights_.head = weights_.embedding.Rows(rows.first, rows.count);
    }
    return {};
  }

  const DecoderSpec& spec() const override { return spec_; }

  Result<int32_t> AddAdapter(const PeftAdapter& adapter) override {
    JIKJI_ASSIGN(const std::vector<WeightSource> base, FindWeights(*checkpoint_, spec_));
    JIKJI_ASSIGN(const int32_t number, adapters_->Add(*device_, adapter, base));
    inputs_.AddAdapter(!adapter.embedding.data.empty(), !adapter.head.data.empty());
    logit_stride_ = std::max(logit_stride_, adapter.vocab);
    return number;
  }

  int64_t logit_stride() const override { return logit_stride_; }

  bool chooses() const override { return true; }
  bool runs_ahead() const override { return true; }

  Result<KvCache> MakeCache(int32_t pages, int32_t page_tokens, DType dtype) override {
    return KvCache::CreateOn(device_, own_, pages, page_tokens, dtype);
  }

  Result<> Forward(const Batch& batch, KvCache& cache, std::span<float> logits,
                   ThreadPool& pool) override {
    JIKJI_RETURN_IF_ERROR(Submit(batch, cache, logits, pool));
    return Finish(batch.choices);
  }

  Result<> Finish(std::span<RowChoice> choices) override { return chosen_.Take(*device_, choices); }

  Result<> Submit(const Batch& batch, KvCache& cache, std::span<float> logits,
                  ThreadPool& /*pool*/) override {
    const auto rows = static_cast<int64_t>(batch.tokens.size());
    const auto wanted = static_cast<int64_t>(batch.logit_rows.size());
    JIKJI_RETURN_IF_ERROR(chosen_.CheckRoom());
    if (rows == 0) return chosen_.Send(*device_, nullptr, {});
    JIKJI_RETURN_IF_ERROR(CheckBatch(batch, cache));
    // A step that only decodes is like many others: it is filled up, and becomes a graph.
    const bool repeats = wanted == rows && rows <= GpuGraphs::kMostRows;
    const int32_t padded = repeats ? std::min(GpuGraphs::PaddedRows(rows), limits_.rows) : 0;
    JIKJI_RETURN_IF_ERROR(
        inputs_.Send(*device_, s_.inputs, batch, cache.page_tokens(), s_.most_parts, padded));
    if (inputs_.takes_chosen()) {
      JIKJI_RETURN_IF_ERROR(device_->Launch(
          gpu::jikji_take_chosen, {Blocks(inputs_.rows(), gpu::kTakeChosenThreads), 1},
          gpu::TakeChosenArgs{
              .tokens = inputs_.tokens, .chosen = s_.chosen, .count = inputs_.rows()}));
    }
    if (repeats) {
      GpuGraphs::Shape shape = inputs_.shape();
      // Of one cache: its planes lie where no other's do.
      for (const std::byte* plane : {static_cast<const std::byte*>(cache.Layer(0).keys),
                                     static_cast<const std::byte*>(cache.Layer(0).values)}) {
        shape.push_back(static_cast<int64_t>(reinterpret_cast<uintptr_t>(plane)));
      }
      shape.insert(shape.end(),
                   {cache.pages(), cache.page_tokens(), static_cast<int64_t>(cache.dtype())});
      JIKJI_RETURN_IF_ERROR(
          graphs_.Run(*device_, shape, [&] { return Layers(padded, padded, cache); }));
    } else {
      JIKJI_RETURN_IF_ERROR(Layers(rows, wanted, cache));
    }
    if (wanted > 0) JIKJI_RETURN_IF_ERROR(Head(logits));
    return chosen_.Send(*device_, s_.chosen,
                        Answers() ? inputs_.chosen_asked() : std::span<const int32_t>());
  }

 private:
  // From tokens to what the head reads, of the rows that are wanted; the launches alone.
  Result<> Layers(int64_t rows, int64_t wanted, const KvCache& cache) {
    JIKJI_RETURN_IF_ERROR(device_->Launch(gpu::jikji_rope_table,
                                          {Blocks(rows * spec_.head_dim / 2, 256), 1},
                                          gpu::RopeTableArgs{.positions = inputs_.positions,
                                                             .inv_freq = s_.inv_freq,
                                                             .cosines = s_.cosines,
                                                             .sines = s_.sines,
                                                             .rows = static_cast<int32_t>(rows),
                                                             .half = HeadDim() / 2,
                                                             .magnitude = rope_magnitude_}));
    x_ = s_.x;
    attended_ = s_.attended;
    row_adapters_ = inputs_.adapters;
    JIKJI_RETURN_IF_ERROR(Embed(rows));
    JIKJI_RETURN_IF_ERROR(AddNorm(rows, nullptr, nullptr, nullptr, NormBefore(0)));
    for (size_t i = 0; i < spec_.layers.size(); ++i) {
      const bool last = i + 1 == spec_.layers.size();
      JIKJI_RETURN_IF_ERROR(StoreHeads(i, rows, cache, /*store_only=*/last && wanted == 0));
      // Past the last layer's keys and values, a row matters only for its own logits.
      if (last && wanted == 0) return {};
      JIKJI_RETURN_IF_ERROR(Attend(i, cache));
      if (last) JIKJI_RETURN_IF_ERROR(KeepRows(wanted));
      JIKJI_RETURN_IF_ERROR(FinishLayer(i, last ? wanted : rows));
    }
    return {};
  }

  // Each row from the embedding that it has.
  Result<> Embed(int64_t rows) {
    const auto from = [&](const gpu::DeviceMatrix& embedding, int32_t owner) {
      return gpu::Embed(*device_, embedding, inputs_.tokens, rows, spec_.embedding_scale, x_,
                        inputs_.embeddings, owner);
    };
    JIKJI_RETURN_IF_ERROR(from(weights_.embedding, kBaseModel));
    if (inputs_.embeddings == nullptr) return {};
    const std::span<const GpuVocabulary> own = adapters_->vocabularies();
    for (size_t i = 0; i < own.size(); ++i) {
      if (own[i].embedding.tiles().rows == 0) continue;
      JIKJI_RETURN_IF_ERROR(from(own[i].embedding, static_cast<int32_t>(i)));
    }
    return {};
  }

  // Of several devices every one chooses the same tokens, for its own next step; one tells them.
  bool Answers() const { return cut_.rank == 0; }

  int32_t HeadDim() const { return static_cast<int32_t>(spec_.head_dim); }

  // What attention of a layer reads is normed by; past the last layer, what the head reads.
  const float* NormBefore(size_t layer) const {
    return layer == weights_.layers.size() ? weights_.final_norm
                                           : weights_.layers[layer].attention_norm;
  }

  Result<> CheckBatch(const Batch& batch, const KvCache& cache) const {
    bool fits = std::cmp_less_equal(batch.tokens.size(), limits_.rows) &&
                std::cmp_less_equal(batch.slices.size(), limits_.slices) && cache.on_device();
    for (const kernels::AttentionSlice& slice : batch.slices) {
      fits = fits &&
             int64_t{slice.start} + slice.tokens <= int64_t{limits_.pages} * cache.page_tokens();
    }
    if (fits) return {};
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a step of {} tokens of {} sequences is beyond what the GPU's memory "
                            "was planned for",
                            batch.tokens.size(), batch.slices.size()));
  }

  // x += residual_scale · post(added + bias), then s_.normed = norm(x).
  Result<> AddNorm(int64_t rows, float* added, const float* bias, const float* post_norm,
                   const float* norm) {
    return device_->Launch(gpu::jikji_add_norm, {static_cast<uint32_t>(rows), 1},
                           gpu::AddNormArgs{.x = x_,
                                            .added = added,
                                            .bias = bias,
                                            .post_norm = post_norm,
                                            .norm = norm,
                                            .out = s_.normed,
                                            .out_stride = gpu::RowStride(spec_.hidden),
                                            .width = static_cast<int32_t>(spec_.hidden),
                                            .residual_scale = spec_.residual_scale,
                                            .eps = spec_.norm_eps});
  }

  // A projection's product, with what the rows' adapters add.
  Result<> Multiply(size_t layer, TensorRole projection, const uint16_t* x, int64_t rows,
                    float* y) {
    const gpu::DeviceMatrix& weight = ProjectionOf(weights_.layers[layer], projection)->weight;
    JIKJI_RETURN_IF_ERROR(gpu::MatMul(*device_, weight, x, rows, y));
    if (row_adapters_ == nullptr) return {};
    const gpu::AdapterArgs args{.parts = adapters_->PartsOf(layer, projection),
                                .adapters = row_adapters_,
                                .x = x,
                                .low = s_.low,
                                .y = y,
                                .x_stride = gpu::RowStride(weight.tiles().cols),
                                .cols = weight.tiles().cols,
                                .width = weight.tiles().rows,
                                .most_rank = limits_.adapter_rank};
    const auto each_row = static_cast<uint32_t>(rows);
    JIKJI_RETURN_IF_ERROR(
        device_->Launch(gpu::jikji_adapter_low,
                        {Blocks(limits_.adapter_rank, gpu::kAdapterWarps), each_row}, args));
    return device_->Launch(gpu::jikji_adapter_add, {Blocks(args.width, 256), each_row}, args);
  }

  static gpu::KvPlanes Planes(const KvCache& cache, size_t layer) {
    const kernels::KvPages pages = cache.Layer(layer);
    gpu::KvPlanes planes{.keys = pages.keys,
                         .values = pages.values,
                         .page_tokens = pages.page_tokens,
                         .kv_heads = pages.kv_heads,
                         .head_dim = pages.head_dim};
    if (cache.dtype() != DType::kF8_E4M3) return planes;
    // Scales lie behind all values of their plane.
    const int64_t values =
        int64_t{cache.pages()} * pages.page_tokens * pages.kv_heads * pages.head_dim;
    planes.key_scales = reinterpret_cast<uint16_t*>(pages.keys + values);
    planes.value_scales = reinterpret_cast<uint16_t*>(pages.values + values);
    return planes;
  }

  // Keys and values of all rows into the cache, and queries ready for attention.
  Result<> StoreHeads(size_t index, int64_t rows, const KvCache& cache, bool store_only) {
    const GpuLayer& layer = weights_.layers[index];
    JIKJI_RETURN_IF_ERROR(Multiply(index, TensorRole::kKey, s_.normed, rows, s_.key));
    JIKJI_RETURN_IF_ERROR(Multiply(index, TensorRole::kValue, s_.normed, rows, s_.value));
    if (!store_only)
      JIKJI_RETURN_IF_ERROR(Multiply(index, TensorRole::kQuery, s_.normed, rows, s_.query));
    const bool rotates = spec_.layers[index].rope;
    const int64_t items = rows * ((store_only ? 0 : own_.heads) + 2 * own_.kv_heads);
    return device_->Launch(gpu::jikji_heads, {Blocks(items, gpu::kHeadsWarps), 1},
                           gpu::HeadsArgs{.query = store_only ? nullptr : s_.query,
                                          .key = s_.key,
                                          .value = s_.value,
                                          .query_bias = layer.query.bias,
                                          .key_bias = layer.key.bias,
                                          .value_bias = layer.value.bias,
                                          .query_norm = layer.query_norm,
                                          .key_norm = layer.key_norm,
                                          .cosines = rotates ? s_.cosines : nullptr,
                                          .sines = rotates ? s_.sines : nullptr,
                                          .slots = inputs_.slots,
                                          .query_out = s_.finished_query,
                                          .kv = Planes(cache, index),
                                          .rows = static_cast<int32_t>(rows),
                                          .heads = static_cast<int32_t>(own_.heads),
                                          .query_scale = query_scale_,
                                          .eps = spec_.norm_eps});
  }

  Result<> Attend(size_t index, const KvCache& cache) {
    const int32_t window = spec_.layers[index].window;
    const GpuInputs::Attention& plan = inputs_.OfWindow(window);
    return gpu::Attention(*device_,
                          {.items = plan.items,
                           .pages = inputs_.pages,
                           .query = s_.finished_query,
                           .out = s_.attended,
                           .out_stride = gpu::RowStride(own_.heads * own_.head_dim),
                           .parts = s_.parts,
                           .kv = Planes(cache, index),
                           .item_count = plan.item_count,
                           .heads = static_cast<int32_t>(own_.heads),
                           .window = window},
                          plan.merges, plan.merge_count);
  }

  // What follows has only the rows whose logits are wanted.
  Result<> KeepRows(int64_t wanted) {
    JIKJI_RETURN_IF_ERROR(device_->Launch(
        gpu::jikji_keep_rows, {static_cast<uint32_t>(wanted), 1},
        gpu::KeepRowsArgs{
            .rows = inputs_.logit_rows,
            .x = x_,
            .x_out = s_.kept_x,
            .attended = s_.attended,
            .attended_out = s_.kept_attended,
            .x_width = static_cast<int32_t>(spec_.hidden),
            .attended_width = static_cast<int32_t>(gpu::RowStride(own_.heads * own_.head_dim))}));
    x_ = s_.kept_x;
    attended_ = s_.kept_attended;
    row_adapters_ = inputs_.logit_adapters;
    return {};
  }

  // Attention's output and the MLP into the residual stream; s_.normed is what comes next reads.
  Result<> FinishLayer(size_t index, int64_t rows) {
    const GpuLayer& layer = weights_.layers[index];
    float* const product = gather_.PartOf(s_.added);
    JIKJI_ASSIGN(const uint16_t* const attended, gather_.Attended(attended_, rows));
    JIKJI_RETURN_IF_ERROR(Multiply(index, TensorRole::kOutput, attended, rows, product));
    JIKJI_RETURN_IF_ERROR(gather_.Added(rows, s_.added));
    JIKJI_RETURN_IF_ERROR(
        AddNorm(rows, s_.added, layer.output.bias, layer.attention_post_norm, layer.mlp_norm));
    JIKJI_RETURN_IF_ERROR(Multiply(index, TensorRole::kGate, s_.normed, rows, s_.gate));
    JIKJI_RETURN_IF_ERROR(Multiply(index, TensorRole::kUp, s_.normed, rows, s_.up));
    const int32_t width = layer.gate.weight.tiles().rows;
    JIKJI_RETURN_IF_ERROR(device_->Launch(
        gpu::jikji_silu_multiply, {Blocks(width, gpu::kRowThreads), static_cast<uint32_t>(rows)},
        gpu::SiluArgs{.gate = s_.gate,
                      .up = s_.up,
                      .gate_bias = layer.gate.bias,
                      .up_bias = layer.up.bias,
                      .out = s_.activated,
                      .out_stride = gpu::RowStride(own_.intermediate),
                      .width = width}));
    JIKJI_ASSIGN(const uint16_t* const activated, gather_.Activated(s_.activated, rows));
    JIKJI_RETURN_IF_ERROR(Multiply(index, TensorRole::kDown, activated, rows, product));
    JIKJI_RETURN_IF_ERROR(gather_.Added(rows, s_.added));
    return AddNorm(rows, s_.added, layer.down.bias, layer.mlp_post_norm, NormBefore(index + 1));
  }

  // Logits run by run; of each run the tokens that are asked for are chosen, and the logits of the
  // other rows come back.
  Result<> Head(std::span<float> logits) {
    const std::span<const int32_t> chosen = inputs_.chosen();
    size_t next = 0;  // of `chosen`
    for (const GpuInputs::LogitRun& run : inputs_.runs()) {
      const bool of_base = run.head == kBaseModel;
      const gpu::DeviceMatrix& head =
          of_base ? weights_.head : adapters_->vocabularies()[static_cast<size_t>(run.head)].head;
      const int64_t vocab = of_base ? spec_.vocab : head.tiles().rows;
      JIKJI_RETURN_IF_ERROR(gpu::MatMul(*device_, head,
                                        s_.normed + run.first * gpu::RowStride(spec_.hidden),
                                        run.rows, gather_.PartOf(s_.logits), spec_.logit_scale));
      JIKJI_RETURN_IF_ERROR(gather_.Logits(run.rows, s_.logits));
      const size_t first = next;
      for (int32_t i = 0; i < run.rows;) {
        if (next < chosen.size() && chosen[next] == run.first + i) {
          ++next;
          ++i;
          continue;
        }
        const int32_t end =
            next < chosen.size() ? std::min(run.rows, chosen[next] - run.first) : run.rows;
        JIKJI_RETURN_IF_ERROR(CopyLogits(run.first, i, end, vocab, logits));
        i = end;
      }
      JIKJI_RETURN_IF_ERROR(device_->Launch(gpu::jikji_choose,
                                            {static_cast<uint32_t>(next - first), 1},
                                            gpu::ChooseArgs{.logits = s_.logits,
                                                            .rows = inputs_.choose_rows + first,
                                                            .adjustments = inputs_.adjustments,
                                                            .tokens = s_.chosen + first,
                                                            .stride = vocab}));
    }
    return {};
  }

  // Rows [begin, end) of the run that begins at `first`, to where the batch wants them: those that
  // lie together there at once.
  Result<> CopyLogits(int32_t first, int32_t begin, int32_t end, int64_t vocab,
                      std::span<float> logits) {
    if (!Answers()) return device_->Synchronize();  // the others wait for the one that copies
    const auto order = inputs_.logit_order().subspan(static_cast<size_t>(first));
    for (int32_t row = begin; row < end;) {
      int32_t rows = 1;
      const int32_t to = order[static_cast<size_t>(row)];
      while (vocab == logit_stride_ && row + rows < end &&
             order[static_cast<size_t>(row + rows)] == to + rows) {
        ++rows;
      }
      JIKJI_RETURN_IF_ERROR(
          device_->CopyToHost(logits.data() + to * logit_stride_,
                              reinterpret_cast<const std::byte*>(s_.logits + row * vocab),
                              static_cast<uint64_t>(rows * vocab) * sizeof(float)));
      row += rows;
    }
    return {};
  }

  std::shared_ptr<device::Device> device_;        // first: what follows is of its memory
  std::shared_ptr<const Checkpoint> checkpoint_;  // for DoRA's gains
  DecoderSpec spec_;
  GpuCut cut_;
  DecoderSpec own_;  // of what this device computes
  GpuLimits limits_;
  GpuScratch s_;
  GpuGather gather_;
  GpuWeights weights_;
  GpuInputs inputs_;
  GpuChosen chosen_;
  std::optional<GpuAdapters> adapters_;  // once there is memory for their table
  GpuGraphs graphs_;
  float rope_magnitude_ = 1;
  float query_scale_ = 1;
  int64_t logit_stride_ = spec_.vocab;

  // Of the step: all rows, then those kept.
  float* x_ = nullptr;
  const uint16_t* attended_ = nullptr;
  const int32_t* row_adapters_ = nullptr;  // nullptr: none has one
};

}  // namespace

Result<GpuMemory> PlanGpuMemory(const Checkpoint& checkpoint, const DecoderSpec& spec,
                                const GpuLimits& limits, const GpuCut& cut) {
  JIKJI_RETURN_IF_ERROR(CheckSpec(spec, limits));
  JIKJI_RETURN_IF_ERROR(CheckCut(spec, cut));
  JIKJI_ASSIGN(std::vector<WeightSource> sources, FindWeights(checkpoint, spec));
  return GpuMemory{.weights = GpuWeightBytes(CutWeights(std::move(sources), cut).sources()),
                   .scratch = GpuScratch::Bytes(SpecOf(spec, cut), limits),
                   .exchange = GpuGather::Bytes(spec, limits, cut)};
}

Result<std::unique_ptr<Decoder>> LoadGpuDecoder(std::shared_ptr<device::Device> device,
                                                std::shared_ptr<const Checkpoint> checkpoint,
                                                DecoderSpec spec, GpuLimits limits,
                                                const std::function<void(double)>& progress,
                                                const GpuCut& cut) {
  JIKJI_RETURN_IF_ERROR(CheckSpec(spec, limits));
  JIKJI_RETURN_IF_ERROR(CheckCut(spec, cut));
  auto decoder = std::make_unique<GpuDecoder>(std::move(device), std::move(checkpoint),
                                              std::move(spec), limits, cut);
  JIKJI_RETURN_IF_ERROR(decoder->Load(progress));
  return decoder;
}

}  // namespace jikji
