#include "model/kv_cache.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <limits>
#include <utility>

#include "device/device.h"

namespace jikji {
namespace {

// 0 where a product overflows.
uint64_t Product(std::initializer_list<uint64_t> factors) {
  uint64_t product = 1;
  for (const uint64_t factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) return 0;
  }
  return product;
}

// Of keys, or of values, in one page of one layer.
uint64_t PagePlaneBytes(const DecoderSpec& spec, int32_t page_tokens, DType dtype) {
  return Product({static_cast<uint64_t>(spec.kv_heads), static_cast<uint64_t>(page_tokens),
                  RowBytes(dtype, static_cast<uint64_t>(spec.head_dim)).value_or(0)});
}

// Of keys, or of values, in all pages of one layer.
Result<uint64_t> PlaneBytes(const DecoderSpec& spec, int32_t pages, int32_t page_tokens,
                            DType dtype) {
  if (pages < 1 || page_tokens < 1) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a KV cache of {} pages of {} tokens", pages, page_tokens));
  }
  const uint64_t plane =
      Product({PagePlaneBytes(spec, page_tokens, dtype), static_cast<uint64_t>(pages)});
  const uint64_t planes = Product({plane, 2, spec.layers.size()});
  constexpr uint64_t kMost = std::numeric_limits<ptrdiff_t>::max() - kernels::kKvPlanePadding;
  if (planes == 0 || planes > kMost) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a KV cache of {} pages of {} tokens is more than memory can address",
                            pages, page_tokens));
  }
  return plane;
}

}  // namespace

Result<> KvCache::Check(const DecoderSpec& spec, DType dtype) {
  constexpr DType kTypes[] = {DType::kF16, DType::kF32, DType::kQ8_0, DType::kF8_E4M3};
  if (std::ranges::find(kTypes, dtype) == std::end(kTypes)) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("the KV cache is F16, F32, Q8_0 or F8_E4M3, not {}", DTypeName(dtype)));
  }
  if (spec.head_dim % BlockValues(dtype) != 0) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a KV cache of {} shares a scale among {} values, and this model's "
                            "heads have {}; use F16",
                            DTypeName(dtype), BlockValues(dtype), spec.head_dim));
  }
  return {};
}

KvCache::KvCache(const DecoderSpec& spec, int32_t pages, int32_t page_tokens, DType dtype,
                 uint64_t plane_bytes)
    : pages_(pages),
      page_tokens_(page_tokens),
      kv_heads_(static_cast<int32_t>(spec.kv_heads)),
      head_dim_(static_cast<int32_t>(spec.head_dim)),
      dtype_(dtype),
      plane_bytes_(plane_bytes) {}

Result<KvCache> KvCache::Create(const DecoderSpec& spec, int32_t pages, int32_t page_tokens,
                                DType dtype) {
  JIKJI_RETURN_IF_ERROR(Check(spec, dtype));
  JIKJI_ASSIGN(const uint64_t plane, PlaneBytes(spec, pages, page_tokens, dtype));
  // Each plane is followed by the next, and the last by the padding.
  const uint64_t bytes = plane * 2 * spec.layers.size() + kernels::kKvPlanePadding;
  // Without NORESERVE, so that a system that counts its promises refuses here and not later.
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return Fail(ErrorCode::kResourceExhausted,
                fmt::format("no memory for a KV cache of {:.1f} GiB ({}); ask for fewer pages",
                            static_cast<double>(bytes) / (1ull << 30), std::strerror(errno)));
  }
  // Attention walks through scattered pages of a few KiB: with pages of 4 KiB it would wait for
  // address translations as long as for the data. A system that has no huge pages works too.
  (void)madvise(memory, bytes, MADV_HUGEPAGE);
  KvCache cache(spec, pages, page_tokens, dtype, plane);
  cache.data_ = {static_cast<std::byte*>(memory),
                 [bytes](std::byte* data) { munmap(data, bytes); }};
  return cache;
}

Result<> KvCache::CheckOnDevice(int32_t page_tokens, DType dtype) {
  constexpr int32_t kRun = 8;  // positions that a kernel reads at once
  const bool known = dtype == DType::kF16 || dtype == DType::kF8_E4M3;
  if (known && page_tokens % kRun == 0) return {};
  return Fail(ErrorCode::kUnsupported,
              fmt::format("on a GPU the KV cache is F16 or F8_E4M3, in pages of a multiple of {} "
                          "tokens, not {} in pages of {}; leave --kv-dtype out",
                          kRun, DTypeName(dtype), page_tokens));
}

Result<KvCache> KvCache::CreateOn(std::shared_ptr<device::Device> device, const DecoderSpec& spec,
                                  int32_t pages, int32_t page_tokens, DType dtype) {
  JIKJI_RETURN_IF_ERROR(CheckOnDevice(page_tokens, dtype));
  JIKJI_ASSIGN(const uint64_t plane, PlaneBytes(spec, pages, page_tokens, dtype));
  if (int64_t{pages} * page_tokens > std::numeric_limits<int32_t>::max()) {
    return Fail(ErrorCode::kInvalidArgument,
                "a KV cache of more tokens than the kernels count; ask for fewer pages");
  }
  JIKJI_ASSIGN(device::Buffer memory, device->Allocate(plane * 2 * spec.layers.size()));
  auto buffer = std::make_shared<device::Buffer>(std::move(memory));
  KvCache cache(spec, pages, page_tokens, dtype, plane);
  cache.on_device_ = true;
  // The memory goes before the device does.
  cache.data_ = {buffer->data(), [device, buffer](std::byte*) mutable { buffer.reset(); }};
  return cache;
}

KvCache KvCache::Of(std::vector<KvCache> ranks) {
  KvCache first = std::move(ranks.front());
  first.others_.assign(std::make_move_iterator(ranks.begin() + 1),
                       std::make_move_iterator(ranks.end()));
  return first;
}

uint64_t KvCache::PageBytes(const DecoderSpec& spec, int32_t page_tokens, DType dtype) {
  return Product({PagePlaneBytes(spec, page_tokens, dtype), 2, spec.layers.size()});
}

kernels::KvPages KvCache::Layer(size_t layer) const {
  kernels::KvPages out;
  out.keys = data_.get() + 2 * layer * plane_bytes_;
  out.values = out.keys + plane_bytes_;
  out.dtype = dtype_;
  out.page_tokens = page_tokens_;
  out.kv_heads = kv_heads_;
  out.head_dim = head_dim_;
  return out;
}

}  // namespace jikji
