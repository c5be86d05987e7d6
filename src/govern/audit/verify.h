// Checks a log as it lies on the disk, whoever wrote it; and proofs from it.
#ifndef JIKJI_GOVERN_AUDIT_VERIFY_H_
#define JIKJI_GOVERN_AUDIT_VERIFY_H_

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "base/error.h"
#include "govern/audit/checker.h"
#include "govern/audit/signer.h"

namespace jikji::audit {

struct VerifyOptions {
  // The key to check signatures with; else the log's own `signing.pub`, which whoever can write the
  // folder can replace.
  std::optional<VerifyKey> key;
  // A head that was kept elsewhere: the log must begin with what it was signed over.
  std::optional<SignedHead> witnessed;
  LogChecker::Visitor visit;
};

struct VerifyReport {
  uint64_t records = 0;
  uint64_t heads = 0;
  uint64_t signed_records = 0;  // under the last head
  std::vector<Fault> faults;
};

// An error: the files cannot be read at all. The log may be open elsewhere: what is being written
// then is a torn tail past the last head, and no fault.
Result<VerifyReport> VerifyLog(const std::filesystem::path& folder, VerifyOptions options = {});

// Record `index` with its proof under the last head; and, where `since` > 0, that the log then
// begins with its first `since` records. A JSON object.
Result<std::string> ProveRecord(const std::filesystem::path& folder, uint64_t index,
                                uint64_t since);

// What is proved of every record that `wanted` picks, under one head: {"head", "public_key",
// "records": [{"index", "record", "inclusion"}]}. An evidence pack, to be checked offline.
Result<std::string> ProveRecords(const std::filesystem::path& folder,
                                 const std::function<bool(const Record&)>& wanted);

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_VERIFY_H_
