#include "model/kv_cache.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <limits>

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
                  static_cast<uint64_t>(spec.head_dim) / BlockValues(dtype), BlockBytes(dtype)});
}

}  // namespace

Result<> KvCache::Check(const DecoderSpec& spec, DType dtype) {
  if (dtype != DType::kF16 && dtype != DType::kF32 && dtype != DType::kQ8_0) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("the KV cache is F16, F32 or Q8_0, not {}", DTypeName(dtype)));
  }
  if (spec.head_dim % BlockValues(dtype) != 0) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a KV cache of {} shares a scale among {} values, and this model's "
                            "heads have {}; use F16",
                            DTypeName(dtype), BlockValues(dtype), spec.head_dim));
  }
  return {};
}

Result<KvCache> KvCache::Create(const DecoderSpec& spec, int32_t pages, int32_t page_tokens,
                                DType dtype) {
  JIKJI_RETURN_IF_ERROR(Check(spec, dtype));
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
  // Each plane is followed by the next, and the last by the padding.
  const uint64_t bytes = planes + kernels::kKvPlanePadding;
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
  KvCache cache;
  cache.pages_ = pages;
  cache.page_tokens_ = page_tokens;
  cache.kv_heads_ = static_cast<int32_t>(spec.kv_heads);
  cache.head_dim_ = static_cast<int32_t>(spec.head_dim);
  cache.dtype_ = dtype;
  cache.plane_bytes_ = plane;
  cache.data_ = std::unique_ptr<std::byte, Unmap>(static_cast<std::byte*>(memory), Unmap{bytes});
  return cache;
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

void KvCache::Unmap::operator()(std::byte* data) const { munmap(data, bytes); }

}  // namespace jikji
