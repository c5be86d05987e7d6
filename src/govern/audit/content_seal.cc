#include "govern/audit/content_seal.h"

#include "govern/ledger/calendar.h"

namespace jikji::audit {
namespace {

constexpr std::string_view kField = "content";

// No organisation's name has a slash.
std::string MonthKey(std::string_view tenant, std::string_view month) {
  std::string name;
  name.reserve(tenant.size() + 1 + month.size());
  name += tenant;
  name += '/';
  name += month;
  return name;
}

}  // namespace

std::string MonthOf(int64_t seconds) {
  // Asked for each record, and the same for all of an hour.
  thread_local int64_t known_hour = -1;
  thread_local std::string known;
  constexpr int64_t kHour = 3600;
  if (const int64_t hour = seconds / kHour; hour != known_hour || seconds < 0) {
    known = FormatTime(seconds).substr(0, 7);
    known_hour = hour;
  }
  return known;
}

Result<std::string> SealContent(TenantKeys& keys, std::string_view tenant, std::string_view month,
                                std::string_view content) {
  JIKJI_ASSIGN(const std::string inner, keys.Seal(MonthKey(tenant, month), kField, content));
  return keys.Seal(tenant, kField, inner);
}

Result<bool> DestroyMonth(TenantKeys& keys, std::string_view tenant, std::string_view month) {
  const auto destroyed = keys.Destroy(MonthKey(tenant, month));
  if (destroyed) return true;
  if (destroyed.error().code == ErrorCode::kNotFound) return false;
  return std::unexpected(destroyed.error());
}

}  // namespace jikji::audit
