// Which tenant's request goes next when more wait than can start.
//
// Classes in order, premium first; within a class the tenant that was served least for its weight
// (virtual token counter, Sheng et al., OSDI 2024). So a tenant that floods delays itself, and one
// that was idle gets its share at once but no arrears. Non-goals: quotas (govern/).
#ifndef JIKJI_FLEET_FAIRNESS_H_
#define JIKJI_FLEET_FAIRNESS_H_

#include <cstdint>
#include <span>

#include "fleet/site.h"

namespace jikji::fleet {

// The index of a tenant with `queued` > 0, or -1. `least_class`: classes below it are held back
// (power is short). Ties go to the lower index.
int32_t NextTenant(std::span<const Tenant> tenants, ServiceClass least_class);

// What `served` becomes for a tenant whose queue was empty: at least as much as the least of its
// class among those that wait, so that idling saves nothing up.
int64_t ServedOnReturn(std::span<const Tenant> tenants, int32_t tenant);

}  // namespace jikji::fleet

#endif  // JIKJI_FLEET_FAIRNESS_H_
