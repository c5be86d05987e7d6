// How the content of a record is sealed: under a key of the tenant's month, and that under the
// tenant's key. So content is erased by month, when its time is over, and all of a tenant's at
// once; the log verifies either way. Months are Korean.
#ifndef JIKJI_GOVERN_AUDIT_CONTENT_SEAL_H_
#define JIKJI_GOVERN_AUDIT_CONTENT_SEAL_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "govern/audit/tenant_keys.h"

namespace jikji::audit {

// "2026-11", of seconds since 1970 UTC.
std::string MonthOf(int64_t seconds);

// 32 bytes. kPermissionDenied once either key was destroyed.
Result<std::string> SealContent(TenantKeys& keys, std::string_view tenant, std::string_view month,
                                std::string_view content);

// From then on nobody can tell, nor guess, what the tenant's content of the month was. False: there
// was none, or it is destroyed already.
Result<bool> DestroyMonth(TenantKeys& keys, std::string_view tenant, std::string_view month);

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_CONTENT_SEAL_H_
