// Any bytes as the file of a site, of chips or of tariffs: an error that says where, or a plan.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "fleet/plan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jikji::fleet;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto site = ReadPlanInput(text, "site");
  const auto catalog = ReadCatalog(text, "chips");
  const auto tariff = ReadTariff(text, "tariff", "highB_154kV", "II");
  if (!site && site.error().where.empty()) std::abort();
  if (!catalog && catalog.error().where.empty()) std::abort();
  if (!tariff && tariff.error().where.empty()) std::abort();
  if (site && catalog && tariff) std::abort();  // no text is all three
  return 0;
}
