#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "adapt/train/curve.h"

namespace jikji::train {
namespace {

constexpr double kWidth = 720, kHeight = 400, kLeft = 60, kRight = 20, kTop = 20, kBottom = 40;
constexpr double kSmoothing = 0.95;   // share of the running mean that a step leaves in place
constexpr size_t kMostPoints = 2000;  // more than twice the picture's pixels

struct Axes {
  double steps, least, most;

  double X(int64_t step) const {
    return kLeft + (kWidth - kLeft - kRight) * static_cast<double>(step) / steps;
  }
  double Y(double loss) const {
    return kTop + (kHeight - kTop - kBottom) * (most - loss) / (most - least);
  }
};

Axes AxesOf(std::span<const CurvePoint> points) {
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (const CurvePoint& p : points) {
    for (const double loss : {p.loss, p.eval_loss.value_or(p.loss)}) {
      if (!std::isfinite(loss)) continue;
      least = std::min(least, loss);
      most = std::max(most, loss);
    }
  }
  if (!(least <= most)) least = 0, most = 1;
  if (most - least < 1e-6) least -= 0.5, most += 0.5;
  return {points.empty() ? 1.0 : static_cast<double>(std::max<int64_t>(1, points.back().step)),
          least, most};
}

void AppendGrid(const Axes& axes, std::string& out) {
  for (int i = 0; i <= 4; ++i) {
    const double loss = axes.least + (axes.most - axes.least) * i / 4;
    const double y = axes.Y(loss);
    out += fmt::format(R"(<line x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}" stroke="#ddd"/>)"
                       R"(<text x="{}" y="{:.1f}" text-anchor="end">{:.3g}</text>)",
                       kLeft, kWidth - kRight, y, y, kLeft - 6, y + 4, loss);
    const auto step = static_cast<int64_t>(axes.steps * i / 4);
    out += fmt::format(R"(<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", axes.X(step),
                       kHeight - kBottom + 18, step);
  }
}

void AppendLine(const std::string& path, const char* colour, double width, std::string& out) {
  out += fmt::format(R"(<polyline fill="none" stroke="{}" stroke-width="{}" points="{}"/>)", colour,
                     width, path);
}

}  // namespace

std::string CurveSvg(std::span<const CurvePoint> points) {
  const Axes axes = AxesOf(points);
  std::string out = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" font-family="sans-serif" )"
      R"(font-size="12" fill="#444"><rect width="100%" height="100%" fill="#fff"/>)",
      kWidth, kHeight);
  AppendGrid(axes, out);
  std::string raw, smooth, dots;
  const size_t every = points.size() / kMostPoints + 1;
  double mean = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const CurvePoint& p = points[i];
    if (p.eval_loss && std::isfinite(*p.eval_loss)) {
      dots += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="3.5" fill="#c22"/>)",
                          axes.X(p.step), axes.Y(*p.eval_loss));
    }
    if (!std::isfinite(p.loss)) continue;
    mean = i == 0 ? p.loss : kSmoothing * mean + (1 - kSmoothing) * p.loss;
    if (i % every != 0 && i + 1 != points.size()) continue;
    raw += fmt::format("{:.1f},{:.1f} ", axes.X(p.step), axes.Y(p.loss));
    smooth += fmt::format("{:.1f},{:.1f} ", axes.X(p.step), axes.Y(mean));
  }
  AppendLine(raw, "#aac4ea", 1, out);
  AppendLine(smooth, "#2456a6", 2, out);
  out += dots;
  out += fmt::format(R"(<text x="{}" y="14" fill="#2456a6">loss</text>)", kLeft);
  if (!dots.empty())
    out += fmt::format(R"(<text x="{}" y="14" fill="#c22">eval</text>)", kLeft + 40);
  return out + "</svg>\n";
}

}  // namespace jikji::train
