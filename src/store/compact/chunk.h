// One chunk of a compact file: some hundred KiB of values, beside those of a source where there is
// one.
//
// What is stored is the exclusive or of both, byte by byte, split in planes: the first bytes of all
// values, then their second bytes, and so on, so that signs and exponents, which a fine-tune hardly
// moves, lie together. Each plane is compressed by zstd, or stands as it is where that saves
// nothing.
#ifndef JIKJI_STORE_COMPACT_CHUNK_H_
#define JIKJI_STORE_COMPACT_CHUNK_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/compact/recipe.h"

namespace jikji {

// The most that `bytes` of values of `width` are stored in.
uint64_t MaxStoredBytes(uint64_t bytes, uint8_t width);

// Memory and contexts that coding needs, to be used again; by one thread at a time.
class ChunkCoder {
 public:
  ChunkCoder();
  ChunkCoder(ChunkCoder&&) noexcept;
  ChunkCoder& operator=(ChunkCoder&&) noexcept;
  ~ChunkCoder();

  // `source` is empty, or as long as `bytes`, which are at most kCompactChunk. The result is empty
  // where both are the same, and valid until the next call.
  std::string_view Pack(std::string_view bytes, std::string_view source, uint8_t width);

  // Into all of `out`. kIo: what is stored is damaged.
  Result<> Unpack(std::string_view stored, std::string_view source, uint8_t width,
                  std::span<char> out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace jikji

#endif  // JIKJI_STORE_COMPACT_CHUNK_H_
