#include "govern/audit/content_seal.h"

#include <fmt/format.h>

#include "govern/ledger/calendar.h"

namespace jikji::audit {
namespace {

constexpr std::string_view kField = "content";

// No organisation's name has a slash.
std::string MonthKey(std::string_view tenant, std::string_view month) {
  return fmt::format("{}/{}", tenant, month);
}

}  // namespace

std::string MonthOf(int64_t seconds) { return FormatTime(seconds).substr(0, 7); }

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
