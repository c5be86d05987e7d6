#include "twin/power_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "twin/csv.h"

namespace jikji::twin {
namespace {

constexpr size_t kNearest = 4;

// Columns that say what was measured, whatever they hold.
bool IsDimension(std::string_view name) {
  constexpr std::array kDimensions = {
      "m",           "n",           "k",           "batch_size",
      "isl",         "step",        "num_heads",   "num_key_value_heads",
      "head_dim",    "window_size", "num_tokens",  "hidden_size",
      "inter_size",  "topk",        "num_experts", "moe_tp_size",
      "moe_ep_size", "tp_size",     "beam_width"};
  return std::ranges::find(kDimensions, name) != kDimensions.end();
}

bool IsResult(std::string_view name) {
  return name == "latency" || name == "power" || name == "power_limit";
}

}  // namespace

Result<std::vector<PowerRow>> ParsePowerRows(std::string_view text, std::string where) {
  JIKJI_ASSIGN(CsvReader csv, CsvReader::Open(text, where));
  JIKJI_ASSIGN(const size_t latency, csv.Column("latency"));
  JIKJI_ASSIGN(const size_t power, csv.Column("power"));
  std::vector<size_t> dimensions, labels;
  for (size_t i = 0; i < csv.head().size(); ++i) {
    if (IsResult(csv.head()[i])) continue;
    (IsDimension(csv.head()[i]) ? dimensions : labels).push_back(i);
  }
  std::vector<PowerRow> rows;
  for (;;) {
    JIKJI_ASSIGN(const bool more, csv.Next());
    if (!more) break;
    PowerRow row;
    if (csv.Field(power).empty()) continue;
    JIKJI_ASSIGN(row.watts, csv.Number(power));
    JIKJI_ASSIGN(const double milliseconds, csv.Number(latency));
    row.seconds = milliseconds / 1000;
    if (!(row.watts > 0)) continue;
    for (const size_t label : labels) row.kind += std::string(csv.Field(label)) + " ";
    for (const size_t dimension : dimensions) {
      JIKJI_ASSIGN(const double size, csv.Number(dimension));
      row.shape.push_back(std::log2(1 + std::max(0.0, size)));
    }
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return Fail(ErrorCode::kMalformed, "holds no row with watts", where);
  return rows;
}

PowerTable::PowerTable(std::vector<PowerRow> rows) {
  for (PowerRow& row : rows) kinds_[row.kind].push_back(std::move(row));
}

std::optional<double> PowerTable::Watts(const std::string& kind,
                                        const std::vector<double>& shape) const {
  const auto found = kinds_.find(kind);
  if (found == kinds_.end()) return std::nullopt;
  struct Near {
    double distance = std::numeric_limits<double>::infinity();
    double watts = 0;
  };
  std::array<Near, kNearest> nearest{};
  for (const PowerRow& row : found->second) {
    double distance = 0;
    for (size_t i = 0; i < shape.size() && distance < nearest.back().distance; ++i) {
      distance += (row.shape[i] - shape[i]) * (row.shape[i] - shape[i]);
    }
    if (distance >= nearest.back().distance) continue;
    nearest.back() = {distance, row.watts};
    for (size_t i = kNearest - 1; i > 0 && nearest[i].distance < nearest[i - 1].distance; --i) {
      std::swap(nearest[i], nearest[i - 1]);
    }
  }
  double watts = 0, weights = 0;
  for (const Near& near : nearest) {
    if (!std::isfinite(near.distance)) continue;
    const double weight = 1 / (near.distance + 1e-3);
    watts += weight * near.watts;
    weights += weight;
  }
  return watts / weights;
}

}  // namespace jikji::twin
