// One record of the audit log, and the bytes that stand for it. docs/audit.md gives the layout.
//
// Contract: DecodeRecord takes exactly what EncodeRecord makes; any other bytes are an error.
#ifndef JIKJI_GOVERN_AUDIT_RECORD_H_
#define JIKJI_GOVERN_AUDIT_RECORD_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "govern/audit/hash.h"

namespace jikji::audit {

inline constexpr size_t kMaxNameBytes = 255;  // of a tenant, an event, a field
inline constexpr size_t kMaxValueBytes = 65535;
inline constexpr size_t kMaxFields = 64;
inline constexpr size_t kMaxRecordBytes = 1 << 20;

struct Field {
  std::string name;
  // As it is; or, where `keyed`, HMAC-SHA-256 of it under the tenant's key: 32 bytes that tell
  // nothing once the key is destroyed.
  std::string value;
  bool keyed = false;

  bool operator==(const Field&) const = default;
};

struct Record {
  uint64_t index = 0;         // in the log
  uint64_t time = 0;          // UTC nanoseconds since 1970
  uint64_t tenant_index = 0;  // among the tenant's records
  Hash previous{};            // LeafHash of the tenant's record before; zeros for the first
  std::string tenant;
  std::string event;  // "generation", "guard", "key.destroyed", ...
  std::vector<Field> fields;

  bool operator==(const Record&) const = default;
};

// The same of texts that stand elsewhere, for a record that is written once and forgotten.
struct FieldView {
  std::string_view name, value;
  bool keyed = false;
};
struct RecordView {
  uint64_t index = 0, time = 0, tenant_index = 0;
  Hash previous{};
  std::string_view tenant, event;
  std::span<const FieldView> fields;
};
// Of a record's fields.
std::vector<FieldView> ViewsOf(std::span<const Field> fields);

// kInvalidArgument: a name or a value is too long.
Result<> CheckRecord(const RecordView& record);
Result<> CheckRecord(const Record& record);

// Appends the bytes to `out`. The record passes CheckRecord.
void EncodeRecord(const RecordView& record, std::string& out);
void EncodeRecord(const Record& record, std::string& out);

Result<Record> DecodeRecord(std::string_view bytes);

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_RECORD_H_
