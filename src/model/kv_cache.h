// The memory of the KV cache: pages of a fixed number of positions, for every layer. Which page
// belongs to whom is the engine's business.
#ifndef JIKJI_MODEL_KV_CACHE_H_
#define JIKJI_MODEL_KV_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/error.h"
#include "kernels/attention.h"
#include "model/decoder_spec.h"

namespace jikji {

class KvCache {
 public:
  // Whether pages of `dtype` can hold the model's heads: F16, F32 and, where head_dim is a multiple
  // of 32, Q8_0.
  static Result<> Check(const DecoderSpec& spec, DType dtype);

  // Memory is reserved at once (touched as it is used); an error where the system refuses.
  static Result<KvCache> Create(const DecoderSpec& spec, int32_t pages, int32_t page_tokens,
                                DType dtype);

  // Bytes of one page over all layers.
  static uint64_t PageBytes(const DecoderSpec& spec, int32_t page_tokens, DType dtype);

  int32_t pages() const { return pages_; }
  int32_t page_tokens() const { return page_tokens_; }
  DType dtype() const { return dtype_; }
  kernels::KvPages Layer(size_t layer) const;

 private:
  struct Unmap {
    size_t bytes;
    void operator()(std::byte* data) const;
  };
  int32_t pages_ = 0;
  int32_t page_tokens_ = 0;
  int32_t kv_heads_ = 0;
  int32_t head_dim_ = 0;
  DType dtype_ = DType::kF16;
  size_t plane_bytes_ = 0;  // of keys, or values, of one layer
  std::unique_ptr<std::byte, Unmap> data_;
};

}  // namespace jikji

#endif  // JIKJI_MODEL_KV_CACHE_H_
