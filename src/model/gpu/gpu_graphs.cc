#include "model/gpu/gpu_graphs.h"

#include <algorithm>
#include <bit>

namespace jikji {
namespace {

// Of a few hundred kernels each; a driver keeps about a kilobyte a kernel.
constexpr size_t kMostGraphs = 48;

}  // namespace

int32_t GpuGraphs::PaddedRows(int64_t rows) {
  const auto up_to = [&](int64_t multiple) {
    return static_cast<int32_t>((rows + multiple - 1) / multiple * multiple);
  };
  if (rows <= 8) return static_cast<int32_t>(std::bit_ceil(static_cast<uint64_t>(rows)));
  return rows <= 64 ? up_to(8) : up_to(32);
}

GpuGraphs::Entry* GpuGraphs::Find(const Shape& shape) {
  ++runs_;
  if (const auto found = entries_.find(shape); found != entries_.end()) {
    found->second.used = runs_;
    return &found->second;
  }
  if (entries_.size() == kMostGraphs) {
    entries_.erase(std::ranges::min_element(entries_, {},
                                            [](const auto& entry) { return entry.second.used; }));
  }
  entries_[shape].used = runs_;
  return nullptr;
}

}  // namespace jikji
