// A managed site beside the same one with nobody at the wheel: what managing kept and saved.
#ifndef JIKJI_APP_SIMULATE_COMPARE_H_
#define JIKJI_APP_SIMULATE_COMPARE_H_

#include <boost/json.hpp>
#include <string>

#include "twin/site_report.h"

namespace jikji {

std::string ComparisonText(const twin::SiteReport& managed, const twin::SiteReport& unmanaged);
boost::json::object ComparisonJson(const twin::SiteReport& managed,
                                   const twin::SiteReport& unmanaged);

}  // namespace jikji

#endif  // JIKJI_APP_SIMULATE_COMPARE_H_
