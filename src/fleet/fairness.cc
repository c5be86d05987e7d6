#include "fleet/fairness.h"

#include <algorithm>

namespace jikji::fleet {
namespace {

// Tokens for its weight; compared across tenants.
double Charged(const Tenant& tenant) {
  return static_cast<double>(tenant.served) /
         static_cast<double>(std::max<int64_t>(1, tenant.weight));
}

}  // namespace

int32_t NextTenant(std::span<const Tenant> tenants, ServiceClass least_class) {
  int32_t best = -1;
  for (size_t i = 0; i < tenants.size(); ++i) {
    const Tenant& tenant = tenants[i];
    if (tenant.queued <= 0 || tenant.service < least_class) continue;
    if (best >= 0) {
      const Tenant& other = tenants[static_cast<size_t>(best)];
      if (tenant.service < other.service) continue;
      if (tenant.service == other.service && Charged(tenant) >= Charged(other)) continue;
    }
    best = static_cast<int32_t>(i);
  }
  return best;
}

int64_t ServedOnReturn(std::span<const Tenant> tenants, int32_t index) {
  const Tenant& tenant = tenants[static_cast<size_t>(index)];
  const Tenant* least = nullptr;
  for (const Tenant& other : tenants) {
    if (&other == &tenant || other.queued <= 0 || other.service != tenant.service) continue;
    if (least == nullptr || Charged(other) < Charged(*least)) least = &other;
  }
  if (least == nullptr) return tenant.served;
  const double level = Charged(*least) * static_cast<double>(std::max<int64_t>(1, tenant.weight));
  return std::max(tenant.served, static_cast<int64_t>(level));
}

}  // namespace jikji::fleet
