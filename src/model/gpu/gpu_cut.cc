#include "model/gpu/gpu_cut.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "kernels/gpu/weight_tiles.h"

namespace jikji {

int64_t GpuCut::Part(int64_t rows) const {
  if (whole()) return rows;
  const int64_t tiles = (rows + kernels::gpu::kTileRows - 1) / kernels::gpu::kTileRows;
  return (tiles + ranks - 1) / ranks * kernels::gpu::kTileRows;
}

GpuCut::Rows GpuCut::OfTiles(int64_t rows) const {
  const int64_t part = Part(rows);
  const int64_t first = std::min(rank * part, rows);
  return {first, std::min(part, rows - first)};
}

GpuCut::Rows GpuCut::Of(TensorRole role, int64_t rows) const {
  using enum TensorRole;
  switch (role) {
    case kQuery:
    case kKey:
    case kValue:
    case kQueryBias:
    case kKeyBias:
    case kValueBias:
      return {rank * (rows / ranks), rows / ranks};
    case kOutput:
    case kGate:
    case kUp:
    case kDown:
    case kGateBias:
    case kUpBias:
    case kHead:
      return OfTiles(rows);
    default:
      return {0, rows};
  }
}

Result<> CheckCut(const DecoderSpec& spec, const GpuCut& cut) {
  const auto fits = [&](int64_t ranks) {
    return spec.heads % ranks == 0 && spec.kv_heads % ranks == 0;
  };
  if (cut.ranks >= 1 && cut.rank >= 0 && cut.rank < cut.ranks && fits(cut.ranks)) return {};
  std::vector<int64_t> numbers;
  for (int64_t ranks = 1; ranks <= spec.kv_heads; ++ranks) {
    if (fits(ranks)) numbers.push_back(ranks);
  }
  return Fail(ErrorCode::kUnsupported,
              fmt::format("a model of {} heads and {} KV heads cannot be cut over {} GPUs, since "
                          "each computes whole heads; --tensor-parallel can be {}",
                          spec.heads, spec.kv_heads, cut.ranks, fmt::join(numbers, ", ")));
}

DecoderSpec SpecOf(const DecoderSpec& spec, const GpuCut& cut) {
  DecoderSpec out = spec;
  out.heads /= cut.ranks;
  out.kv_heads /= cut.ranks;
  out.intermediate = cut.Part(spec.intermediate);
  return out;
}

CutWeights::CutWeights(std::vector<WeightSource> whole, const GpuCut& cut)
    : sources_(std::move(whole)) {
  if (cut.whole()) return;
  for (WeightSource& source : sources_) {
    int64_t& stored = source.need.shape[0];
    const GpuCut::Rows rows = cut.Of(source.need.role, stored);
    if (rows.count == stored) continue;
    TensorView& view = views_.emplace_back(*source.tensor);
    const auto row_bytes = view.data.size() / static_cast<size_t>(stored);
    view.shape[0] = stored = rows.count;
    view.data = view.data.subspan(static_cast<size_t>(rows.first) * row_bytes,
                                  static_cast<size_t>(rows.count) * row_bytes);
    source.tensor = &view;
    // Rows change places only within a head, in each the same way.
    if (!source.row_order.empty()) source.row_order.resize(static_cast<size_t>(rows.count));
  }
}

}  // namespace jikji
