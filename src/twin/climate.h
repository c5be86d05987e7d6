// What weather does to a site: the wet-bulb temperature of an hour, and what cooling costs and
// carries at it.
//
// Made up after southern Korea: no measured weather is read. The heat of a site follows the
// weather slowly (Lag). Non-goals: humidity apart from temperature; chillers that start and stop.
#ifndef JIKJI_TWIN_CLIMATE_H_
#define JIKJI_TWIN_CLIMATE_H_

#include <algorithm>
#include <cmath>
#include <numbers>

namespace jikji::twin {

// Degrees Celsius: about 24 at noon in July, 0 in January, 3 more in the afternoon than the mean.
inline double WetBulb(double day_of_year, double hour) {
  using std::numbers::pi;
  return 11 + 12 * std::sin(2 * pi * (day_of_year - 110) / 365) +
         3 * std::sin(2 * pi * (hour - 9) / 24);
}

// A cooling tower does the work up to 18 °C; each degree above costs chillers a hundredth of IT.
inline double PueAt(double pue, double wet_bulb) {
  return pue + 0.01 * std::max(0.0, wet_bulb - 18);
}

// The share of its heat that a loop still carries: above 26 °C it loses 3 % a degree.
inline double LoopShareAt(double wet_bulb) {
  return std::clamp(1 - 0.03 * (wet_bulb - 26), 0.2, 1.0);
}

// First order: water and walls take twenty minutes to follow.
class Lag {
 public:
  explicit Lag(double value) : value_(value) {}
  double Step(double target, double seconds) {
    value_ += (target - value_) * (1 - std::exp(-seconds / 1200));
    return value_;
  }

 private:
  double value_;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_CLIMATE_H_
