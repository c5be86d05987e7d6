// What `jikji plan` and `jikji simulate` know without a file: the data of src/fleet/data/.
#ifndef JIKJI_APP_FLEET_DATA_H_
#define JIKJI_APP_FLEET_DATA_H_

#include <string>
#include <string_view>

#include "fleet/catalog.h"
#include "fleet/plan.h"
#include "fleet/tariff.h"

namespace jikji {

// The file at `path`, or the built-in one of that name where `path` is empty.
struct DataText {
  std::string text;
  std::string where;
};
Result<DataText> ReadFleetData(const std::string& path, std::string_view name);

// A site with its chips and its tariff.
struct FleetInput {
  fleet::PlanInput site;
  fleet::Catalog catalog;
  fleet::Tariff tariff;
};
Result<FleetInput> ReadFleetInput(const std::string& site, const std::string& chips,
                                  const std::string& tariff);

}  // namespace jikji

#endif  // JIKJI_APP_FLEET_DATA_H_
