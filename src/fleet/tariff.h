// The price of electricity at any hour of a year, and the bill of a load.
//
// Korean time-of-use tariffs: three seasons, three bands of hours, weekdays and weekends. Won per
// kWh and per kW are not whole numbers in the tariff itself, so they are doubles here; nothing of
// this is a ledger. Non-goals: public holidays (they are light all day, which lowers a year's bill
// by about one per cent), VAT, power factor.
#ifndef JIKJI_FLEET_TARIFF_H_
#define JIKJI_FLEET_TARIFF_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji::fleet {

enum class Season : uint8_t { kSpringAutumn, kSummer, kWinter };
enum class Band : uint8_t { kLight, kMiddle, kPeak };

// An hour of a 365-day year that begins on a Monday: what prices depend on, and no more.
struct HourOfYear {
  int32_t month = 1;    // 1 to 12
  int32_t weekday = 0;  // 0: Monday
  int32_t hour = 0;     // 0 to 23
};
HourOfYear HourAt(int64_t hours_since_new_year);

struct Tariff {
  std::string name;
  double base_won_per_kw_month = 0;
  std::array<std::array<double, 3>, 3> energy_won{};  // [season][band], per kWh
  double climate_won = 0;                             // per kWh
  double fuel_won = 0;                                // per kWh
  double fund_share = 0;                              // of base and energy charge
  double weekend_discount = 0;
  std::array<Band, 24> summer_bands{};  // of weekdays; spring and autumn as well
  std::array<Band, 24> winter_bands{};
};

Season SeasonOf(int32_t month);

// The file of tariffs, and the rate to use from it.
Result<Tariff> ReadTariff(std::string_view text, std::string where, std::string_view voltage,
                          std::string_view option);

// All-in for one kWh, without the base charge.
double PriceAt(const Tariff& tariff, const HourOfYear& at);

struct Bill {
  double energy_won = 0;
  double base_won = 0;
  double total() const { return energy_won + base_won; }
};
// Of a year; `load_mw` is the mean of each of its 8,760 hours.
Bill BillOfYear(const Tariff& tariff, std::span<const double> load_mw);

// Whether batch work that needs `hours` of the coming ones should run in the first of them: it runs
// in the cheapest, the earlier of equals.
bool RunBatchNow(std::span<const double> coming_prices, size_t hours);

}  // namespace jikji::fleet

#endif  // JIKJI_FLEET_TARIFF_H_
