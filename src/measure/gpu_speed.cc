#include "measure/gpu_speed.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "kernels/gpu/attention_plan.h"
#include "kernels/gpu/ops.h"

namespace jikji::measure {
namespace {

namespace gpu = kernels::gpu;

constexpr int32_t kPageTokens = 16;
constexpr int kLaunches = 10;  // of a run

struct Shape {
  int64_t rows, cols;
};

std::vector<Shape> LayerShapes(const DecoderSpec& spec) {
  const int64_t query = spec.heads * spec.head_dim, key = spec.kv_heads * spec.head_dim;
  return {{key, spec.hidden},
          {key, spec.hidden},
          {query, spec.hidden},
          {spec.hidden, query},
          {spec.intermediate, spec.hidden},
          {spec.intermediate, spec.hidden},
          {spec.hidden, spec.intermediate}};
}

class Bench {
 public:
  Bench(device::Device& device, const DecoderSpec& spec, const GpuSpeedOptions& options)
      : device_(device), spec_(spec), options_(options), noise_(1 << 20) {
    // As BF16 and F16 these are small positive numbers: no infinity slows or quickens a sum.
    std::mt19937 random(1);
    for (uint8_t& byte : noise_) byte = static_cast<uint8_t>(random() & 0x3F);
  }

  Result<GpuSpeed> Run() {
    JIKJI_ASSIGN(out_.copy_bytes_per_second, CopyRate());
    for (const DType dtype : options_.dtypes) {
      for (const int64_t tokens : options_.tokens) {
        JIKJI_RETURN_IF_ERROR(Products(fmt::format("products of a layer, {}", DTypeName(dtype)),
                                       LayerShapes(spec_), dtype, tokens));
      }
      JIKJI_RETURN_IF_ERROR(Products(fmt::format("product of the head, {}", DTypeName(dtype)),
                                     {{spec_.vocab, spec_.hidden}}, dtype, 1));
    }
    JIKJI_RETURN_IF_ERROR(Attention());
    return std::move(out_);
  }

 private:
  Result<device::Buffer> Noise(uint64_t bytes) {
    JIKJI_ASSIGN(device::Buffer buffer, device_.Allocate(bytes));
    for (uint64_t at = 0; at < bytes; at += noise_.size()) {
      JIKJI_RETURN_IF_ERROR(device_.CopyToDevice(buffer.data() + at, noise_.data(),
                                                 std::min<uint64_t>(noise_.size(), bytes - at)));
    }
    return buffer;
  }

  // Seconds of one `run`.
  template <class Function>
  Result<double> Time(const Function& run) {
    JIKJI_RETURN_IF_ERROR(run());
    JIKJI_RETURN_IF_ERROR(device_.Synchronize());
    std::vector<double> seconds;
    for (int64_t i = 0; i < options_.repeat; ++i) {
      const auto start = std::chrono::steady_clock::now();
      for (int launch = 0; launch < kLaunches; ++launch) JIKJI_RETURN_IF_ERROR(run());
      JIKJI_RETURN_IF_ERROR(device_.Synchronize());
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      seconds.push_back(took.count() / kLaunches);
    }
    std::ranges::sort(seconds);
    return seconds[seconds.size() / 2];
  }

  Result<double> CopyRate() {
    constexpr int64_t kWidth = 4096;
    const int64_t row_bytes = kWidth * static_cast<int64_t>(sizeof(float));
    const int64_t rows = std::max<int64_t>(1, options_.copy_bytes / 2 / row_bytes);
    JIKJI_ASSIGN(const device::Buffer from, Noise(static_cast<uint64_t>(rows * row_bytes)));
    JIKJI_ASSIGN(const device::Buffer to, device_.Allocate(from.bytes()));
    std::vector<int32_t> order(static_cast<size_t>(rows));
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
    JIKJI_ASSIGN(const device::Buffer order_on, device_.Allocate(order.size() * sizeof(int32_t)));
    JIKJI_RETURN_IF_ERROR(
        device_.CopyToDevice(order_on.data(), order.data(), order.size() * sizeof(int32_t)));
    const gpu::KeepRowsArgs args{.rows = order_on.As<int32_t>(),
                                 .x = from.As<float>(),
                                 .x_out = to.As<float>(),
                                 .attended = nullptr,
                                 .attended_out = nullptr,
                                 .x_width = kWidth,
                                 .attended_width = 0};
    JIKJI_ASSIGN(
        const double seconds, Time([&] {
          return device_.Launch(gpu::jikji_keep_rows, {static_cast<uint32_t>(rows), 1}, args);
        }));
    return 2 * static_cast<double>(from.bytes()) / seconds;
  }

  Result<> Products(const std::string& what, const std::vector<Shape>& shapes, DType dtype,
                    int64_t tokens) {
    uint64_t weight_bytes = 0;
    int64_t widest_in = 0, widest_out = 0;
    GpuFigure figure{.what = fmt::format("{}, {} token(s)", what, tokens)};
    for (const auto& [rows, cols] : shapes) {
      if (cols % BlockValues(dtype) != 0) return {};  // no such matrix
      const uint64_t bytes = gpu::DeviceMatrix::Bytes(dtype, rows, cols);
      weight_bytes += bytes;
      widest_in = std::max(widest_in, gpu::RowStride(cols));
      widest_out = std::max(widest_out, rows);
      figure.bytes += static_cast<double>(bytes) +
                      static_cast<double>(tokens * (gpu::RowStride(cols) * 2 + rows * 4));
      figure.operations += 2 * static_cast<double>(rows * cols * tokens);
    }
    JIKJI_ASSIGN(const device::Buffer weights, Noise(weight_bytes));
    JIKJI_ASSIGN(const device::Buffer x, Noise(static_cast<uint64_t>(tokens * widest_in) * 2));
    JIKJI_ASSIGN(const device::Buffer y,
                 device_.Allocate(static_cast<uint64_t>(tokens * widest_out) * sizeof(float)));
    std::vector<gpu::DeviceMatrix> matrices;
    std::byte* at = weights.data();
    for (const auto& [rows, cols] : shapes) {
      matrices.push_back(gpu::DeviceMatrix::At(at, dtype, rows, cols));
      at += gpu::DeviceMatrix::Bytes(dtype, rows, cols);
    }
    JIKJI_ASSIGN(figure.seconds, Time([&]() -> Result<> {
                   for (const gpu::DeviceMatrix& matrix : matrices) {
                     JIKJI_RETURN_IF_ERROR(
                         gpu::MatMul(device_, matrix, x.As<uint16_t>(), tokens, y.As<float>()));
                   }
                   return {};
                 }));
    out_.figures.push_back(std::move(figure));
    return {};
  }

  // One token over the whole context.
  Result<> Attention() {
    const auto heads = static_cast<int32_t>(spec_.heads);
    const auto kv_heads = static_cast<int32_t>(spec_.kv_heads);
    const auto head_dim = static_cast<int32_t>(spec_.head_dim);
    const auto context = static_cast<int32_t>(options_.context);
    const int32_t pages = (context + kPageTokens - 1) / kPageTokens;
    std::vector<int32_t> table(static_cast<size_t>(pages));
    for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<int32_t>(i);
    gpu::AttentionPlan plan;
    const kernels::AttentionSlice slice = {0, 1, context - 1, table};
    constexpr int64_t kMostParts = 1 << 16;
    plan.Make({&slice, 1}, heads, kv_heads, kPageTokens, 0, kMostParts);
    const uint64_t plane =
        static_cast<uint64_t>(pages) * kPageTokens * static_cast<uint64_t>(kv_heads * head_dim) * 2;
    const auto upload = [&](const auto& values) -> Result<device::Buffer> {
      const uint64_t bytes = values.size() * sizeof(values[0]);
      JIKJI_ASSIGN(device::Buffer buffer, device_.Allocate(bytes));
      JIKJI_RETURN_IF_ERROR(device_.CopyToDevice(buffer.data(), values.data(), bytes));
      return buffer;
    };
    JIKJI_ASSIGN(const device::Buffer keys, Noise(plane));
    JIKJI_ASSIGN(const device::Buffer values, Noise(plane));
    JIKJI_ASSIGN(const device::Buffer query, Noise(static_cast<uint64_t>(heads * head_dim) * 2));
    const int64_t out_stride = gpu::RowStride(spec_.heads * spec_.head_dim);
    JIKJI_ASSIGN(const device::Buffer out, device_.Allocate(static_cast<uint64_t>(out_stride) * 2));
    JIKJI_ASSIGN(const device::Buffer parts,
                 device_.Allocate(gpu::PartBytes(plan.parts, head_dim)));
    JIKJI_ASSIGN(const device::Buffer items, upload(plan.items));
    JIKJI_ASSIGN(const device::Buffer merges, upload(plan.merges));
    JIKJI_ASSIGN(const device::Buffer page_table, upload(plan.pages));
    const gpu::AttentionArgs args{.items = items.As<gpu::AttentionItem>(),
                                  .pages = page_table.As<int32_t>(),
                                  .query = query.As<uint16_t>(),
                                  .out = out.As<uint16_t>(),
                                  .out_stride = out_stride,
                                  .parts = parts.As<float>(),
                                  .kv = {.keys = keys.As<uint16_t>(),
                                         .values = values.As<uint16_t>(),
                                         .page_tokens = kPageTokens,
                                         .kv_heads = kv_heads,
                                         .head_dim = head_dim},
                                  .item_count = static_cast<int32_t>(plan.items.size()),
                                  .heads = heads,
                                  .window = 0};
    GpuFigure figure{
        .what = fmt::format("attention, one token of {} positions", context),
        .bytes = 2 * static_cast<double>(plane),
        .operations = 4 * static_cast<double>(context) * static_cast<double>(heads * head_dim)};
    JIKJI_ASSIGN(figure.seconds, Time([&] {
                   return gpu::Attention(device_, args, merges.As<gpu::AttentionItem>(),
                                         static_cast<int32_t>(plan.merges.size()));
                 }));
    out_.figures.push_back(std::move(figure));
    return {};
  }

  device::Device& device_;
  const DecoderSpec& spec_;
  const GpuSpeedOptions& options_;
  std::vector<uint8_t> noise_;
  GpuSpeed out_;
};

}  // namespace

Result<GpuSpeed> MeasureGpu(device::Device& device, const DecoderSpec& spec,
                            const GpuSpeedOptions& options) {
  return Bench(device, spec, options).Run();
}

DecoderSpec EightBillion() {
  DecoderSpec spec;
  spec.family = "llama";
  spec.hidden = 4096;
  spec.intermediate = 14336;
  spec.heads = 32;
  spec.kv_heads = 8;
  spec.head_dim = 128;
  spec.vocab = 128256;
  spec.max_position = 131072;
  spec.layers.resize(32);
  return spec;
}

}  // namespace jikji::measure
