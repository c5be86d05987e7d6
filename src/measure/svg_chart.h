// Line charts as SVG: axes with round ticks, a legend, panels side by side.
//
// Non-goals: anything a report does not need (bars, styles, interaction).
#ifndef JIKJI_MEASURE_SVG_CHART_H_
#define JIKJI_MEASURE_SVG_CHART_H_

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace jikji::measure {

struct ChartSeries {
  std::string name;
  std::vector<std::pair<double, double>> points;  // by x, finite
  bool dashed = false;                            // a limit, not a measurement
};

struct Chart {
  std::string title, x_label, y_label;
  bool log_x = false;  // every x is above 0; ticks are powers of 2
  std::vector<ChartSeries> series;
};

std::string RenderSvg(std::span<const Chart> charts);

// From 0 to at least `most` in 4 to 10 steps of 1, 2 or 5 times a power of ten. most > 0.
std::vector<double> RoundTicks(double most);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_SVG_CHART_H_
