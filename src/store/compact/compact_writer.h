// Writes a blob compact by a recipe.
#ifndef JIKJI_STORE_COMPACT_COMPACT_WRITER_H_
#define JIKJI_STORE_COMPACT_COMPACT_WRITER_H_

#include <memory>
#include <span>
#include <vector>

#include "base/byte_source.h"
#include "base/thread_pool.h"
#include "store/compact/recipe.h"

namespace jikji {

struct CompactSizes {
  uint64_t stored = 0;  // bytes of the compact file
  uint64_t shared = 0;  // of the blob: in parts that are their sources' bytes throughout
};

// What a recipe's sources are, in its order.
using CompactSources = std::vector<std::shared_ptr<const ByteSource>>;

// Where `descriptor` is -1, nothing is written, and the sizes are those that it would have. Memory:
// 1 MiB for each of eight chunks of a thread, and 20 bytes for each chunk of the blob. Not synced.
// kMalformed where a part is of bytes that its source does not have.
Result<CompactSizes> WriteCompact(const CompactRecipe& recipe, const ByteSource& blob,
                                  const CompactSources& sources, ThreadPool& pool, int descriptor);

// About how large the compact file would be, from at most 64 chunks at even distances.
Result<uint64_t> EstimateCompact(const CompactRecipe& recipe, const ByteSource& blob,
                                 const CompactSources& sources, ThreadPool& pool);

}  // namespace jikji

#endif  // JIKJI_STORE_COMPACT_COMPACT_WRITER_H_
