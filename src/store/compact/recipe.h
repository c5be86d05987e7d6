// How a compact file puts a blob together: its parts in order, each bytes of its own or the
// difference to a place in another blob.
//
// A compact file is: head (this recipe and its checksum), index (one entry for each chunk), chunks.
// Every part is cut in chunks of kCompactChunk bytes, so that any place of the blob is read by
// decoding the chunks around it. All numbers are little-endian.
#ifndef JIKJI_STORE_COMPACT_RECIPE_H_
#define JIKJI_STORE_COMPACT_RECIPE_H_

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/digest.h"

namespace jikji {

// A quarter of a millisecond to decode, and enough for an entropy coder to learn from.
inline constexpr uint64_t kCompactChunk = 256u << 10;
inline constexpr size_t kMaxCompactSources = 4096;    // files of one model
inline constexpr size_t kMaxCompactParts = 1u << 21;  // two for each tensor a file may hold
inline constexpr uint32_t kNoSource = std::numeric_limits<uint32_t>::max();

struct CompactPart {
  uint64_t length = 0;          // of the blob's bytes; over 0
  uint32_t source = kNoSource;  // in `sources`
  uint64_t source_offset = 0;
  uint8_t width = 1;  // bytes of a value: 1, 2, 4 or 8; like bytes of values are coded together
  bool operator==(const CompactPart&) const = default;
};

struct CompactRecipe {
  Digest digest{};  // of the blob
  uint64_t size = 0;
  std::vector<Digest> sources;  // blobs that are stored as they are
  std::vector<CompactPart> parts;
  bool operator==(const CompactRecipe&) const = default;

  uint64_t chunks() const;
};

// Bytes at the front of a compact file that tell how long its head is.
inline constexpr size_t kCompactFrontBytes = 56;
// The whole head's length, of these bytes. kIo where they are no front of a compact file.
Result<uint64_t> CompactHeadBytes(std::string_view front);
uint64_t CompactHeadBytes(const CompactRecipe& recipe);

std::string CompactHead(const CompactRecipe& recipe);
// kIo: the head is damaged, or says what cannot be. Lengths are checked against each other; not
// those of the sources.
Result<CompactRecipe> ParseCompactHead(std::string_view head);
// As ParseCompactHead, of a head that may have any checksum.
Result<CompactRecipe> ParseCompactRecipe(std::string_view head);

// Where a chunk is.
struct CompactChunk {
  uint64_t offset = 0;  // in the compact file
  uint32_t stored = 0;  // bytes there; 0: the chunk is its source's bytes
  uint64_t check = 0;   // Xxh64 of the blob's bytes, seeded by the chunk's number
};
inline constexpr size_t kCompactEntryBytes = 20;
void AppendEntry(const CompactChunk& chunk, std::string& index);
CompactChunk ParseEntry(std::string_view entry);

}  // namespace jikji

#endif  // JIKJI_STORE_COMPACT_RECIPE_H_
