#include "app/svg_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "app/html_page.h"

namespace jikji {
namespace {

constexpr double kWidth = 860, kHeight = 300;
constexpr double kLeft = 70, kRight = 20, kTop = 30, kBottom = 45;
// Distinct in both light and dark, and to most who see few colours.
constexpr std::array kColours = {"#3b76b5", "#d9822b", "#4f9d58", "#b5473c", "#8064a8", "#7d7a70"};

const char* Colour(size_t i) { return kColours[i % kColours.size()]; }

std::string Open(double height) {
  return fmt::format(
      "<svg viewBox=\"0 0 {} {}\" width=\"{}\" role=\"img\" "
      "xmlns=\"http://www.w3.org/2000/svg\">\n",
      kWidth, height, kWidth);
}

std::string TextAt(double x, double y, const char* anchor, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     EscapeHtml(text));
}

std::string Rule(double x1, double y1, double x2, double y2) {
  return fmt::format(
      "<line class=\"grid\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", x1, y1,
      x2, y2);
}

std::string Box(double x, double y, double width, double height, const char* colour) {
  return fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>\n", x, y,
      std::max(0.0, width), std::max(0.0, height), colour);
}

std::string Legend(const std::vector<std::string>& labels) {
  std::string out;
  double x = kLeft + 90;
  for (size_t i = 0; i < labels.size(); ++i) {
    out += Box(x, 8, 10, 10, Colour(i)) + TextAt(x + 15, 17, "start", labels[i]);
    // Hangul is about twice as wide as Latin, at three bytes a letter: seven pixels a byte holds
    // both.
    x += 35 + 7.0 * static_cast<double>(labels[i].size());
  }
  return out;
}

double Y(double value, double most) {
  return kHeight - kBottom - value / most * (kHeight - kTop - kBottom);
}

// The horizontal rules with their numbers; sets `most` to the top of the axis.
std::string VerticalAxis(double& most, const std::string& label) {
  const std::vector<double> ticks = Ticks(most);
  most = std::max(most, ticks.back());
  std::string out = TextAt(8, 17, "start", label);
  for (const double tick : ticks) {
    const double y = Y(tick, most);
    out += Rule(kLeft, y, kWidth - kRight, y) +
           TextAt(kLeft - 6, y + 4, "end", fmt::format("{:g}", tick));
  }
  return out;
}

}  // namespace

std::vector<double> Ticks(double most) {
  if (!(most > 0) || !std::isfinite(most)) return {0, 1};
  const double rough = most / 5;
  const double decade = std::pow(10, std::floor(std::log10(rough)));
  double step = decade * 10;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (decade * factor >= rough) {
      step = decade * factor;
      break;
    }
  }
  std::vector<double> ticks;
  for (int i = 0; i * step < most + step; ++i) ticks.push_back(i * step);
  return ticks;
}

std::string LinePlot(const std::vector<PlotSeries>& series, const std::string& x_label,
                     const std::string& y_label) {
  double most = 0, first = 0, last = 1;
  bool any = false;
  std::vector<std::string> labels;
  for (const PlotSeries& line : series) {
    labels.push_back(line.label);
    for (const auto& [x, y] : line.points) {
      if (std::isfinite(y)) most = std::max(most, y);
      first = any ? std::min(first, x) : x;
      last = any ? std::max(last, x) : x;
      any = true;
    }
  }
  if (last <= first) last = first + 1;
  const auto x_of = [&](double x) {
    return kLeft + (x - first) / (last - first) * (kWidth - kLeft - kRight);
  };
  std::string out = Open(kHeight) + VerticalAxis(most, y_label) + Legend(labels);
  for (const double tick : Ticks(last - first)) {
    if (first + tick > last) break;
    out += TextAt(x_of(first + tick), kHeight - kBottom + 16, "middle",
                  fmt::format("{:g}", first + tick));
  }
  out += TextAt(kWidth - kRight, kHeight - 8, "end", x_label);
  for (size_t i = 0; i < series.size(); ++i) {
    std::string points;
    for (const auto& [x, y] : series[i].points) {
      if (std::isfinite(y)) points += fmt::format("{:.1f},{:.1f} ", x_of(x), Y(y, most));
    }
    out +=
        fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" points=\"{}\"/>\n",
                    Colour(i), points);
  }
  return out + "</svg>\n";
}

std::string BarPlot(const std::vector<PlotBar>& bars, const std::vector<std::string>& part_labels,
                    const std::string& y_label) {
  double most = 0;
  for (const PlotBar& bar : bars) {
    double sum = 0;
    for (const double part : bar.parts) sum += part;
    most = std::max(most, sum);
  }
  std::string out = Open(kHeight) + VerticalAxis(most, y_label) + Legend(part_labels);
  const double slot =
      (kWidth - kLeft - kRight) / std::max<double>(1, static_cast<double>(bars.size()));
  for (size_t i = 0; i < bars.size(); ++i) {
    const double x = kLeft + (static_cast<double>(i) + 0.15) * slot;
    double below = 0;
    for (size_t part = 0; part < bars[i].parts.size(); ++part) {
      const double top = below + bars[i].parts[part];
      out += Box(x, Y(top, most), slot * 0.7, Y(below, most) - Y(top, most), Colour(part));
      below = top;
    }
    out += TextAt(x + slot * 0.35, kHeight - kBottom + 16, "middle", bars[i].label);
  }
  return out + "</svg>\n";
}

std::string RangePlot(const std::vector<PlotRange>& ranges, double middle,
                      const std::string& x_label) {
  constexpr double kRow = 24, kLabels = 210;
  double least = middle, most = middle;
  for (const PlotRange& range : ranges) {
    least = std::min({least, range.low, range.high});
    most = std::max({most, range.low, range.high});
  }
  if (most <= least) most = least + 1;
  const auto x_of = [&](double x) {
    return kLabels + (x - least) / (most - least) * (kWidth - kLabels - 90);
  };
  const double height = kRow * static_cast<double>(ranges.size()) + 40;
  std::string out = Open(height) + Rule(x_of(middle), 5, x_of(middle), height - 30);
  for (size_t i = 0; i < ranges.size(); ++i) {
    const PlotRange& range = ranges[i];
    const double y = 8 + kRow * static_cast<double>(i);
    const double left = std::min(range.low, range.high), right = std::max(range.low, range.high);
    out += TextAt(kLabels - 60, y + 12, "end", range.label);
    out += Box(x_of(left), y, x_of(right) - x_of(left), 15, Colour(0));
    out += TextAt(x_of(left) - 5, y + 12, "end", fmt::format("{:.0f}", left));
    out += TextAt(x_of(right) + 5, y + 12, "start", fmt::format("{:.0f}", right));
  }
  out += TextAt(x_of(middle), height - 10, "middle", fmt::format("{:.0f} {}", middle, x_label));
  return out + "</svg>\n";
}

std::string EstimatePlot(const std::vector<PlotEstimates>& rows,
                         const std::vector<std::string>& series_labels) {
  constexpr double kRow = 20, kGap = 8, kLabels = 190;
  double most = 0;
  for (const PlotEstimates& row : rows) {
    for (const PlotEstimate& estimate : row.estimates) most = std::max(most, estimate.high);
  }
  const std::vector<double> ticks = Ticks(most);
  most = ticks.back();
  const auto x_of = [&](double x) { return kLabels + x / most * (kWidth - kLabels - kRight); };
  const double each = kGap + kRow * static_cast<double>(series_labels.size());
  const double bottom = kTop + each * static_cast<double>(rows.size());
  std::string out = Open(bottom + 25) + Legend(series_labels);
  for (const double tick : ticks) {
    out += Rule(x_of(tick), kTop, x_of(tick), bottom) +
           TextAt(x_of(tick), bottom + 18, "middle", fmt::format("{:g}", tick));
  }
  double top = kTop + kGap / 2;
  for (const PlotEstimates& row : rows) {
    out += TextAt(kLabels - 10, top + (each - kGap) / 2 + 4, "end", row.label);
    for (size_t i = 0; i < row.estimates.size(); ++i) {
      const PlotEstimate& estimate = row.estimates[i];
      const double y = top + kRow * (static_cast<double>(i) + 0.5);
      out += Box(x_of(estimate.low), y - 1, x_of(estimate.high) - x_of(estimate.low), 2, Colour(i));
      out += Box(x_of(estimate.value) - 4, y - 4, 8, 8, Colour(i));
    }
    top += each;
  }
  return out + "</svg>\n";
}

}  // namespace jikji
