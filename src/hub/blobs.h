// Which stored bytes are whose: possession, quotas, and the collector that removes what nobody
// needs.
//
// Contract: whoever commits a blob has shown its bytes, or may read a repository that holds it; a
// digest alone opens nothing. A blob that was shown is kept for a while (a lease) so that the
// commit may follow, and the collector never removes one that a commit or a lease names: it and
// whoever publishes take turns in the database, and a file is removed only while its row is absent.
// A killed collector leaves files that the next one removes.
#ifndef JIKJI_HUB_BLOBS_H_
#define JIKJI_HUB_BLOBS_H_

#include <chrono>
#include <cstdint>
#include <set>
#include <string>

#include "base/error.h"
#include "hub/hub.h"

namespace jikji::hub {

// How long bytes may wait for their commit: longer than the longest upload beside them.
inline constexpr std::chrono::hours kLease{24};

// Gives sealed bytes their name, and `owner` the right to commit them.
Result<> PublishBlob(Database& database, BlobWriter& writer, const Digest& digest,
                     const std::string& owner);

// True where it is stored, not known to be damaged, and `owner` may commit it without sending it:
// they hold a lease, or a repository of theirs or a public one has it. Renews the lease.
Result<bool> HasBlob(Database& database, const Digest& digest, uint64_t size,
                     const std::string& owner);

// HasBlob says no of what is marked, so that whoever pushes it sends its bytes, which mends it.
Result<> MarkDamaged(Database& database, const Digest& digest, bool damaged);
Result<std::set<Digest>> DamagedBlobs(Database& database);

// Within a transaction: the repository holds it from now on. kNotFound where HasBlob would say no.
Result<> TakeBlob(Database& database, int64_t repository, const std::string& owner,
                  const Digest& digest);

// 0 bytes: no limit.
Result<> SetQuota(Database& database, const std::string& owner, uint64_t bytes);
// kResourceExhausted where the owner's repositories hold more than their quota.
Result<> CheckQuota(Database& database, const std::string& owner);

struct Collected {
  size_t blobs = 0;
  uint64_t bytes = 0;
  size_t trees = 0;
  size_t abandoned = 0;  // files of uploads that never ended
};
Result<Collected> CollectGarbage(Hub& hub);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_BLOBS_H_
