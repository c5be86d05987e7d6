// The audit log: records in the order in which they were appended, chained per tenant, under one
// Merkle tree whose heads are signed.
//
// A folder holds `records` and `heads` (frames), `signing.key` and `signing.pub` (PEM), and `keys/`
// (TenantKeys). Append encodes, hashes and returns; one thread writes what has gathered, syncs it
// and signs a head over it (group commit), so a signed head is never ahead of the disk.
//
// Contract: what a signed head covers is never lost or changed; a crash may cost what came after
// it, and nothing else. While the disk refuses, Append is an error: the caller lets nothing pass
// that cannot be recorded (promise 3). Non-goals: deleting old records, many writers.
#ifndef JIKJI_GOVERN_AUDIT_LOG_H_
#define JIKJI_GOVERN_AUDIT_LOG_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "govern/audit/head.h"
#include "govern/audit/record.h"
#include "govern/audit/tenant_keys.h"

namespace jikji::audit {

struct LogOptions {
  // Bytes that may wait for the disk; past it Append is kUnavailable.
  size_t max_pending = 64 << 20;
};

// Where a record stands, and what proves it.
struct Position {
  uint64_t index = 0;
  Hash leaf{};
};

class AuditLog {
 public:
  // Makes the folder where it is missing. A tail torn by a crash is cut off and recorded as
  // `log.recovered`; kMalformed: what a head was signed over is not there any more. kUnavailable:
  // another process has it open.
  static Result<std::unique_ptr<AuditLog>> Open(const std::filesystem::path& folder,
                                                const LogOptions& options = {});
  // Writes what waits.
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // `record` has tenant, event and fields; index, chain and, where it is 0, time are filled in.
  // Thread-safe.
  Result<Position> Append(RecordView record);
  Result<Position> Append(const Record& record);

  // Returns once the record is on the disk, under a signed head.
  Result<> WaitDurable(uint64_t index);

  // The last signed head. Thread-safe.
  SignedHead head() const;

  TenantKeys& keys();

 private:
  struct State;
  explicit AuditLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A log as it lies on the disk.
struct LogFiles {
  std::filesystem::path records, heads, signing_key, public_key, keys;
};
LogFiles FilesOf(const std::filesystem::path& folder);

// The heads in a file, oldest first; a torn last one is left out, `end` is where it begins.
Result<std::vector<SignedHead>> ReadHeads(std::string_view file, const std::string& where,
                                          uint64_t& end);

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_LOG_H_
