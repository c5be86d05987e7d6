// Compact blobs made plain again, and the whole store read through.
#ifndef JIKJI_HUB_COMPACT_RESTORE_H_
#define JIKJI_HUB_COMPACT_RESTORE_H_

#include <functional>
#include <string>
#include <vector>

#include "hub/hub.h"

namespace jikji::hub {

// Makes blobs plain whose sources no repository holds any more, where that takes less room than
// keeping the sources for them. Which; the sources go with the next collection. `failed`: what is
// damaged, which stays as it is.
Result<std::vector<std::string>> RestoreOrphans(Database& database, const BlobStore& blobs,
                                                std::vector<std::string>& failed);

struct DamagedBlob {
  std::string digest;
  std::string why;
  std::vector<std::string> models;  // whose commits hold it
};
// Reads every blob that has a row, in either form, and holds it to its digest and its size. What is
// damaged is marked so (blobs.h), what is whole again is not any more.
// `progress`: bytes read of how many.
Result<std::vector<DamagedBlob>> CheckStore(
    Hub& hub, const std::function<void(uint64_t read, uint64_t bytes)>& progress);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_COMPACT_RESTORE_H_
