#include "app/fleet_data.h"

#include "app/embedded.h"
#include "base/file.h"

namespace jikji {
namespace {

// Written by hand: more than this is a mistake.
constexpr uint64_t kMaxBytes = 4 << 20;

}  // namespace

Result<DataText> ReadFleetData(const std::string& path, std::string_view name) {
  if (!path.empty()) {
    JIKJI_ASSIGN(std::string text, ReadFile(path, kMaxBytes));
    return DataText{std::move(text), path};
  }
  for (const EmbeddedFile& file : FleetFiles()) {
    if (file.name == name) return DataText{std::string(file.content), std::string(name)};
  }
  return Fail(ErrorCode::kInternal, "the program lacks this file", std::string(name));
}

Result<FleetInput> ReadFleetInput(const std::string& site, const std::string& chips,
                                  const std::string& tariff) {
  FleetInput input;
  JIKJI_ASSIGN(DataText text, ReadFleetData(site, "site.toml"));
  JIKJI_ASSIGN(input.site, fleet::ReadPlanInput(text.text, text.where));
  JIKJI_ASSIGN(text, ReadFleetData(chips, "chips.toml"));
  JIKJI_ASSIGN(input.catalog, fleet::ReadCatalog(text.text, text.where));
  JIKJI_ASSIGN(text, ReadFleetData(tariff, "tariff.toml"));
  JIKJI_ASSIGN(input.tariff,
               fleet::ReadTariff(text.text, text.where, input.site.voltage, input.site.option));
  return input;
}

}  // namespace jikji
