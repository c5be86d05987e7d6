// A plan of a site as text for the terminal, as JSON, and as a page.
#ifndef JIKJI_APP_PLAN_REPORT_H_
#define JIKJI_APP_PLAN_REPORT_H_

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "fleet/plan.h"

namespace jikji {

std::string PlanText(const fleet::SitePlan& plan,
                     const std::vector<fleet::Sensitivity>& sensitivity);
boost::json::object PlanJson(const fleet::SitePlan& plan,
                             const std::vector<fleet::Sensitivity>& sensitivity);
std::string PlanPage(const fleet::SitePlan& plan,
                     const std::vector<fleet::Sensitivity>& sensitivity);

// A sum of won in the largest of its units: "10.0 trillion won", "10.0조 원".
std::string WonText(double won);

}  // namespace jikji

#endif  // JIKJI_APP_PLAN_REPORT_H_
