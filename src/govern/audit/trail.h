// What a server writes into its audit log: admissions, refusals, acts of administration, decisions
// of the guard, and the end of each generation.
//
// Records gather in memory and are on the disk, under a signed head, some 20 milliseconds later; a
// request does not wait for that. A crash may cost the records of that moment, and the log then
// says how many bytes were cut off. While the disk refuses, every Write is an error, and what
// cannot be recorded is not let pass (promise 3). Thread-safe.
#ifndef JIKJI_GOVERN_AUDIT_TRAIL_H_
#define JIKJI_GOVERN_AUDIT_TRAIL_H_

#include <atomic>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "govern/audit/log.h"

namespace jikji::audit {

// The chain that an organisation's records stand in; 0: the site's.
std::string TenantName(int64_t organisation);

class Trail {
 public:
  static Result<std::unique_ptr<Trail>> Open(const std::filesystem::path& folder);

  using Plain = std::pair<std::string_view, std::string_view>;  // a field's name and value
  // `content`: what is sealed under the tenant's key (log.h); nothing where it is empty.
  Result<Position> Write(std::string_view tenant, std::string_view event,
                         std::initializer_list<Plain> fields, std::string_view content = {});

  // A key that nobody has: counted, and written by Flush as one record, so that a flood of them
  // does not become a flood of records.
  void CountUnknownKey() { unknown_keys_.fetch_add(1, std::memory_order_relaxed); }
  Result<> Flush();

  AuditLog& log() { return *log_; }

 private:
  explicit Trail(std::unique_ptr<AuditLog> log) : log_(std::move(log)) {}

  std::unique_ptr<AuditLog> log_;
  std::atomic<int64_t> unknown_keys_{0};
};

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_TRAIL_H_
