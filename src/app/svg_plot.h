// Drawings for reports, as SVG: lines over an axis, bars, ranges about a value, and estimates.
//
// Non-goals: interaction, logarithmic axes.
#ifndef JIKJI_APP_SVG_PLOT_H_
#define JIKJI_APP_SVG_PLOT_H_

#include <string>
#include <utility>
#include <vector>

namespace jikji {

struct PlotSeries {
  std::string label;
  std::vector<std::pair<double, double>> points;  // x ascends
};

// Lines over a common x, from zero upward.
std::string LinePlot(const std::vector<PlotSeries>& series, const std::string& x_label,
                     const std::string& y_label);

struct PlotBar {
  std::string label;
  std::vector<double> parts;  // stacked
};
std::string BarPlot(const std::vector<PlotBar>& bars, const std::vector<std::string>& part_labels,
                    const std::string& y_label);

struct PlotRange {
  std::string label;
  double low = 0, high = 0;
};
// Horizontal ranges about `middle`, one below the other.
std::string RangePlot(const std::vector<PlotRange>& ranges, double middle,
                      const std::string& x_label);

struct PlotEstimate {
  double value = 0, low = 0, high = 0;
};
struct PlotEstimates {
  std::string label;
  std::vector<PlotEstimate> estimates;  // one a series
};
// A point and its interval for each, from zero to the right, one below the other.
std::string EstimatePlot(const std::vector<PlotEstimates>& rows,
                         const std::vector<std::string>& series_labels);

// Round numbers that part 0 to `most` into about five.
std::vector<double> Ticks(double most);

}  // namespace jikji

#endif  // JIKJI_APP_SVG_PLOT_H_
