#include "govern/audit/trail.h"

#include <vector>

#include "govern/audit/content_seal.h"
#include "govern/clock.h"

namespace jikji::audit {
namespace {

// Of values that come from outside: long enough for any name, short enough for any log.
constexpr size_t kLongestValue = 4096;

}  // namespace

std::string TenantName(int64_t organisation) {
  return organisation == 0 ? "site" : "org-" + std::to_string(organisation);
}

Result<std::unique_ptr<Trail>> Trail::Open(const std::filesystem::path& folder) {
  JIKJI_ASSIGN(auto log, AuditLog::Open(folder));
  return std::unique_ptr<Trail>(new Trail(std::move(log)));
}

Result<Position> Trail::Write(std::string_view tenant, std::string_view event,
                              std::initializer_list<Plain> fields, std::string_view content) {
  std::vector<FieldView> views;
  views.reserve(fields.size() + 1);
  for (const auto& [name, value] : fields) {
    if (!value.empty()) views.push_back({name, value.substr(0, kLongestValue)});
  }
  std::string sealed;
  if (!content.empty()) {
    // The record's time, which the log fills in, is that of the month; a moment earlier at most.
    JIKJI_ASSIGN(sealed,
                 SealContent(log_->keys(), tenant, MonthOf(SystemClock().WallSeconds()), content));
    views.push_back({"content", sealed, /*keyed=*/true});
  }
  return log_->Append(RecordView{.tenant = tenant, .event = event, .fields = views});
}

Result<> Trail::Flush() {
  const int64_t count = unknown_keys_.exchange(0, std::memory_order_relaxed);
  if (count == 0) return {};
  const auto written = Write(TenantName(0), "authentication.failed",
                             {{"reason", "unknown_key"}, {"count", std::to_string(count)}});
  if (written) return {};
  unknown_keys_.fetch_add(count, std::memory_order_relaxed);
  return std::unexpected(written.error());
}

}  // namespace jikji::audit
