// What a simulation found, as text for the terminal, as JSON, and as a page.
#ifndef JIKJI_APP_SIMULATE_REPORT_H_
#define JIKJI_APP_SIMULATE_REPORT_H_

#include <boost/json.hpp>
#include <string>

#include "twin/mean_field.h"
#include "twin/site_report.h"

namespace jikji {

struct SimulationRun {
  std::string title;
  double wall_seconds = 0;
};

std::string SimulationText(const twin::SiteReport& report, const SimulationRun& run);
boost::json::object SimulationJson(const twin::SiteReport& report, const SimulationRun& run);
std::string SimulationPage(const twin::SiteReport& report, const SimulationRun& run);

std::string MeanFieldText(const twin::MeanFieldReport& report, const SimulationRun& run);
boost::json::object MeanFieldJson(const twin::MeanFieldReport& report, const SimulationRun& run);
std::string MeanFieldPage(const twin::MeanFieldReport& report, const SimulationRun& run);

}  // namespace jikji

#endif  // JIKJI_APP_SIMULATE_REPORT_H_
