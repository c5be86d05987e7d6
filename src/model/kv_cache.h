// The memory of the KV cache: pages of a fixed number of positions, for every layer. Which page
// belongs to whom is the engine's business.
#ifndef JIKJI_MODEL_KV_CACHE_H_
#define JIKJI_MODEL_KV_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/error.h"
#include "kernels/attention.h"
#include "model/decoder_spec.h"

namespace jikji {

namespace device {
class Device;
}

class KvCache {
 public:
  KvCache() = default;

  // Whether pages of `dtype` can hold the model's heads: F16, F32, F8_E4M3 and, where head_dim is a
  // multiple of 32, Q8_0.
  static Result<> Check(const DecoderSpec& spec, DType dtype);

  // Memory is reserved at once (touched as it is used); an error where the system refuses.
  static Result<KvCache> Create(const DecoderSpec& spec, int32_t pages, int32_t page_tokens,
                                DType dtype);

  // kUnsupported where no device holds such a cache; asked before weights are loaded for nothing.
  static Result<> CheckOnDevice(int32_t page_tokens, DType dtype);
  // The same in a device's memory, which Layer's addresses are then of: F16 or F8_E4M3, in pages of
  // a multiple of 8 tokens (kernels/gpu/heads.h).
  static Result<KvCache> CreateOn(std::shared_ptr<device::Device> device, const DecoderSpec& spec,
                                  int32_t pages, int32_t page_tokens, DType dtype);

  // Bytes of one page over all layers.
  static uint64_t PageBytes(const DecoderSpec& spec, int32_t page_tokens, DType dtype);

  // Of a decoder that runs on several devices: each has one, of the same pages.
  static KvCache Of(std::vector<KvCache> ranks);
  KvCache& OfRank(size_t rank) { return rank == 0 ? *this : others_[rank - 1]; }

  int32_t pages() const { return pages_; }
  bool on_device() const { return on_device_; }
  int32_t page_tokens() const { return page_tokens_; }
  DType dtype() const { return dtype_; }
  kernels::KvPages Layer(size_t layer) const;

 private:
  KvCache(const DecoderSpec& spec, int32_t pages, int32_t page_tokens, DType dtype,
          uint64_t plane_bytes);

  int32_t pages_ = 0;
  int32_t page_tokens_ = 0;
  int32_t kv_heads_ = 0;
  int32_t head_dim_ = 0;
  DType dtype_ = DType::kF16;
  size_t plane_bytes_ = 0;  // of keys, or values, of one layer
  bool on_device_ = false;
  std::unique_ptr<std::byte, std::function<void(std::byte*)>> data_;
  std::vector<KvCache> others_;  // of ranks from 1 on
};

}  // namespace jikji

#endif  // JIKJI_MODEL_KV_CACHE_H_
