#include "measure/svg_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>

#include "base/html.h"

namespace jikji::measure {
namespace {

// A panel in pixels, and the margins that hold its labels.
constexpr double kWidth = 480, kHeight = 340;
constexpr double kLeft = 70, kRight = 16, kTop = 40, kBottom = 72;
constexpr double kLegendWidth = 140;
// Told apart by people who see red and green as one (Okabe and Ito's palette).
constexpr std::string_view kColours[] = {"#0072B2", "#D55E00", "#009E73",
                                         "#CC79A7", "#E69F00", "#56B4E9"};

// Values of one axis to pixels.
struct Axis {
  double least = 0, most = 1;
  double from = 0, to = 1;
  bool log = false;
  std::vector<double> ticks;

  double At(double value) const {
    const double low = log ? std::log2(least) : least;
    const double high = log ? std::log2(most) : most;
    const double here = log ? std::log2(value) : value;
    return from + (to - from) * (here - low) / (high - low);
  }
};

Axis MakeX(const Chart& chart, double from, double to) {
  Axis axis = {.from = from, .to = to, .log = chart.log_x, .ticks = {}};
  double least = INFINITY, most = 0;
  for (const ChartSeries& series : chart.series) {
    for (const auto& [x, y] : series.points) {
      least = std::min(least, x);
      most = std::max(most, x);
    }
  }
  if (!chart.log_x) {
    axis.ticks = RoundTicks(most > 0 ? most : 1);
    axis.most = axis.ticks.back();
    return axis;
  }
  const double low = std::isfinite(least) ? std::floor(std::log2(least)) : 0;
  const double high = std::max(low + 1, std::ceil(std::log2(std::max(most, 1e-300))));
  axis.least = std::exp2(low);
  axis.most = std::exp2(high);
  const double step = std::ceil((high - low) / 10);
  for (double power = low; power <= high; power += step) axis.ticks.push_back(std::exp2(power));
  return axis;
}

Axis MakeY(const Chart& chart, double from, double to) {
  double most = 0;
  for (const ChartSeries& series : chart.series) {
    for (const auto& [x, y] : series.points) most = std::max(most, y);
  }
  Axis axis = {.from = from, .to = to, .ticks = RoundTicks(most > 0 ? most : 1)};
  axis.most = axis.ticks.back();
  return axis;
}

class Writer {
 public:
  template <class... Args>
  void Add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
    text += '\n';
  }
  void Text(double x, double y, std::string_view anchor, std::string_view content,
            std::string_view more = "") {
    Add(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}"{}>{}</text>)", x, y, anchor, more,
        EscapeHtml(content));
  }
  std::string text;
};

void DrawAxes(const Chart& chart, const Axis& x, const Axis& y, Writer& svg) {
  for (const double tick : y.ticks) {
    svg.Add(R"(<path d="M{:.1f} {:.1f}H{:.1f}" stroke="#ddd"/>)", x.from, y.At(tick), x.to);
    svg.Text(x.from - 6, y.At(tick) + 4, "end", fmt::format("{:g}", tick));
  }
  for (const double tick : x.ticks) {
    svg.Add(R"(<path d="M{:.1f} {:.1f}v4" stroke="#444"/>)", x.At(tick), y.from);
    svg.Text(x.At(tick), y.from + 17, "middle", fmt::format("{:g}", tick));
  }
  svg.Add(R"(<path d="M{:.1f} {:.1f}V{:.1f}H{:.1f}" stroke="#444" fill="none"/>)", x.from, y.to,
          y.from, x.to);
  const double middle = (y.from + y.to) / 2;
  svg.Text((x.from + x.to) / 2, y.from + 38, "middle", chart.x_label);
  svg.Text(x.from - 54, middle, "middle", chart.y_label,
           fmt::format(R"x( transform="rotate(-90 {:.1f} {:.1f})")x", x.from - 54, middle));
  svg.Text((x.from + x.to) / 2, y.to - 20, "middle", chart.title, R"( font-weight="bold")");
}

void DrawSeries(const ChartSeries& series, size_t index, const Axis& x, const Axis& y,
                Writer& svg) {
  const std::string_view colour = kColours[index % std::size(kColours)];
  std::string path;
  for (const auto& [px, py] : series.points) {
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? 'M' : 'L', x.At(px), y.At(py));
  }
  const std::string_view dashes = series.dashed ? R"( stroke-dasharray="6 4")" : "";
  svg.Add(R"(<path d="{}" stroke="{}" stroke-width="2" fill="none"{}/>)", path, colour, dashes);
  // A few points are shown as such; many are a curve.
  if (!series.dashed && series.points.size() <= 16) {
    for (const auto& [px, py] : series.points) {
      svg.Add(R"(<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"/>)", x.At(px), y.At(py), colour);
    }
  }
  const double left = x.from + kLegendWidth * static_cast<double>(index);
  const double row = y.from + 58;
  svg.Add(R"(<path d="M{:.1f} {:.1f}h20" stroke="{}" stroke-width="2"{}/>)", left, row, colour,
          dashes);
  svg.Text(left + 26, row + 4, "start", series.name);
}

}  // namespace

std::vector<double> RoundTicks(double most) {
  const double magnitude = std::pow(10, std::floor(std::log10(most)));
  double step = magnitude;
  for (const double candidate : {magnitude / 5, magnitude / 2, magnitude, magnitude * 2}) {
    step = candidate;
    if (most / step <= 8) break;
  }
  std::vector<double> ticks;
  for (int i = 0; ticks.empty() || ticks.back() < most; ++i) ticks.push_back(i * step);
  return ticks;
}

std::string RenderSvg(std::span<const Chart> charts) {
  Writer svg;
  const double width = kWidth * static_cast<double>(charts.size());
  svg.Add(R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {:g} {:g}" width="{:g}" )"
          R"(height="{:g}" font-family="sans-serif" font-size="12">)",
          width, kHeight, width, kHeight);
  svg.Add(R"(<rect width="100%" height="100%" fill="white"/>)");
  double left = 0;
  for (const Chart& chart : charts) {
    const Axis x = MakeX(chart, left + kLeft, left + kWidth - kRight);
    const Axis y = MakeY(chart, kHeight - kBottom, kTop);
    DrawAxes(chart, x, y, svg);
    for (size_t i = 0; i < chart.series.size(); ++i) DrawSeries(chart.series[i], i, x, y, svg);
    left += kWidth;
  }
  svg.text += "</svg>\n";
  return svg.text;
}

}  // namespace jikji::measure
