#include "fleet/tariff.h"

#include <fmt/format.h>

#include <algorithm>

#include "fleet/table_reader.h"

namespace jikji::fleet {
namespace {

constexpr std::array kDaysOfMonth = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
constexpr int32_t kSaturday = 5;
constexpr int32_t kSunday = 6;

void MarkHours(TableReader& hours, std::string_view key, Band band, std::array<Band, 24>& bands) {
  for (const double hour : hours.Numbers(key, 0, {0, 23})) bands[static_cast<size_t>(hour)] = band;
}

std::array<double, 3> Rates(TableReader& rate, std::string_view key) {
  std::array<double, 3> won{};
  const std::vector<double> read = rate.Numbers(key, 3, {0, 10'000});
  std::copy(read.begin(), read.end(), won.begin());
  return won;
}

}  // namespace

HourOfYear HourAt(int64_t hours) {
  int64_t day = hours / 24 % 365;
  HourOfYear at{.month = 1,
                .weekday = static_cast<int32_t>(hours / 24 % 7),
                .hour = static_cast<int32_t>(hours % 24)};
  for (const int32_t days : kDaysOfMonth) {
    if (day < days) break;
    day -= days;
    ++at.month;
  }
  return at;
}

Season SeasonOf(int32_t month) {
  if (month >= 6 && month <= 8) return Season::kSummer;
  return month >= 11 || month <= 2 ? Season::kWinter : Season::kSpringAutumn;
}

Result<Tariff> ReadTariff(std::string_view text, std::string where, std::string_view voltage,
                          std::string_view option) {
  JIKJI_ASSIGN(TableReader file, TableReader::Parse(text, std::move(where)));
  Tariff tariff;
  tariff.name = fmt::format("{} {}", voltage, option);
  tariff.climate_won = file.Number("climate_won_per_kwh", {0, 1000});
  tariff.fuel_won = file.Number("fuel_won_per_kwh", {-1000, 1000});
  tariff.fund_share = file.Number("fund_share", {0, 1});
  tariff.weekend_discount = file.Number("spring_weekend_discount", {0, 1});
  TableReader hours = file.Table("hours");
  MarkHours(hours, "summer_middle", Band::kMiddle, tariff.summer_bands);
  MarkHours(hours, "summer_peak", Band::kPeak, tariff.summer_bands);
  MarkHours(hours, "winter_middle", Band::kMiddle, tariff.winter_bands);
  MarkHours(hours, "winter_peak", Band::kPeak, tariff.winter_bands);
  JIKJI_RETURN_IF_ERROR(hours.Done());
  bool found = false;
  std::string known;
  for (TableReader& rate : file.Tables("rate")) {
    const std::string at = rate.Text("voltage") + " " + rate.Text("option");
    const double base = rate.Number("base_won_per_kw_month", {0, 1'000'000});
    const std::array spring = Rates(rate, "spring");
    const std::array summer = Rates(rate, "summer");
    const std::array winter = Rates(rate, "winter");
    JIKJI_RETURN_IF_ERROR(rate.Done());
    known += (known.empty() ? "" : ", ") + at;
    if (at != tariff.name) continue;
    found = true;
    tariff.base_won_per_kw_month = base;
    tariff.energy_won = {spring, summer, winter};
  }
  JIKJI_RETURN_IF_ERROR(file.Done());
  if (!found) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("there is no rate `{}`; the file has {}", tariff.name, known),
                "tariff");
  }
  return tariff;
}

double PriceAt(const Tariff& tariff, const HourOfYear& at) {
  const Season season = SeasonOf(at.month);
  const auto hour = static_cast<size_t>(at.hour);
  Band band = season == Season::kWinter ? tariff.winter_bands[hour] : tariff.summer_bands[hour];
  if (at.weekday == kSunday) band = Band::kLight;
  if (at.weekday == kSaturday && band == Band::kPeak) band = Band::kMiddle;
  double energy = tariff.energy_won[static_cast<size_t>(season)][static_cast<size_t>(band)];
  if (season == Season::kSpringAutumn && at.weekday >= kSaturday && at.hour >= 11 && at.hour < 14) {
    energy *= 1 - tariff.weekend_discount;
  }
  return energy * (1 + tariff.fund_share) + tariff.climate_won + tariff.fuel_won;
}

Bill BillOfYear(const Tariff& tariff, std::span<const double> load_mw) {
  Bill bill;
  double peak = 0;
  for (size_t i = 0; i < load_mw.size(); ++i) {
    bill.energy_won += load_mw[i] * 1000 * PriceAt(tariff, HourAt(static_cast<int64_t>(i)));
    peak = std::max(peak, load_mw[i]);
  }
  // The year's peak sets the base charge of all twelve months, as KEPCO's rule of the last twelve.
  bill.base_won = peak * 1000 * 12 * tariff.base_won_per_kw_month * (1 + tariff.fund_share);
  return bill;
}

bool RunBatchNow(std::span<const double> coming, size_t hours) {
  if (hours == 0 || coming.empty()) return false;
  const auto cheaper = std::ranges::count_if(coming.subspan(1),
                                             [&](double price) { return price < coming.front(); });
  return static_cast<size_t>(cheaper) < hours;
}

}  // namespace jikji::fleet
