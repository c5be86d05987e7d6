// A blob that is stored compact, read as if it were there whole.
//
// Contract: every byte given is held to a checksum of its chunk, that of the sources' bytes within;
// damage is kIo, never other bytes. A read costs the chunks it touches; the last one stays decoded,
// so reading on in small pieces decodes each once. Holds about 1 MiB, and the recipe.
#ifndef JIKJI_STORE_COMPACT_COMPACT_BLOB_H_
#define JIKJI_STORE_COMPACT_COMPACT_BLOB_H_

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "store/compact/chunk.h"
#include "store/compact/recipe.h"

namespace jikji {

using OpenSource = std::function<Result<std::shared_ptr<const ByteSource>>(const Digest&)>;

// The recipe at the front of a compact file.
Result<CompactRecipe> ReadCompactHead(const ByteSource& file);

class CompactBlob final : public ByteSource {
 public:
  // kIo where the file is damaged, or of another blob; errors of `open` as they are.
  static Result<std::shared_ptr<const CompactBlob>> Open(std::shared_ptr<const ByteSource> file,
                                                         const Digest& digest,
                                                         const OpenSource& open);

  uint64_t size() const override { return recipe_.size; }
  Result<> Read(uint64_t offset, std::span<char> into) const override;

 private:
  // Where a part begins.
  struct Place {
    uint64_t offset = 0;  // in the blob
    uint64_t chunk = 0;
  };
  // A chunk as it lies in the blob.
  struct Piece {
    size_t part = 0;
    uint64_t number = 0;
    uint64_t offset = 0;
    uint64_t length = 0;
  };

  CompactBlob(std::shared_ptr<const ByteSource> file, CompactRecipe recipe)
      : file_(std::move(file)), recipe_(std::move(recipe)) {}
  Piece PieceAt(uint64_t offset) const;
  Result<> Decode(const Piece& piece, std::span<char> out) const;

  const std::shared_ptr<const ByteSource> file_;
  const CompactRecipe recipe_;
  std::vector<std::shared_ptr<const ByteSource>> sources_;
  std::vector<Place> places_;  // of the parts
  uint64_t index_ = 0;         // where the index begins
  mutable std::mutex mutex_;
  mutable ChunkCoder coder_;
  mutable std::string stored_;
  mutable std::string source_;
  mutable Piece decoded_;  // length 0: none
  mutable std::string bytes_;
};

}  // namespace jikji

#endif  // JIKJI_STORE_COMPACT_COMPACT_BLOB_H_
