#include "fleet/catalog.h"

#include <fmt/format.h>

#include <cmath>

#include "fleet/table_reader.h"

namespace jikji::fleet {
namespace {

Chip ReadChip(TableReader& table) {
  Chip chip;
  chip.name = table.Text("name");
  chip.gpus_per_rack = static_cast<int32_t>(table.Integer("gpus_per_rack", {1, 10'000}));
  chip.rack_watts = table.Integer("rack_watts", {1, 100'000'000});
  chip.idle_watts = table.Integer("idle_watts", {0, 100'000});
  const auto above_idle = Range{static_cast<double>(chip.idle_watts), 100'000};
  chip.floor_watts = table.Integer("floor_watts", above_idle);
  chip.decode_watts = table.Integer("decode_watts", above_idle);
  chip.prefill_watts = table.Integer("prefill_watts", above_idle);
  chip.limit_watts = table.Integer("limit_watts", {static_cast<double>(chip.floor_watts), 100'000});
  chip.memory_gib = table.Integer("memory_gib", {1, 100'000});
  chip.usd = table.Number("usd", {0, 10'000'000});
  chip.estimated = table.Texts("estimated");
  if (chip.gpus_per_rack * chip.limit_watts > chip.rack_watts) {
    table.Reject("rack_watts", fmt::format("must be at least what its {} GPUs of {} W draw",
                                           chip.gpus_per_rack, chip.limit_watts));
  }
  return chip;
}

Throughput ReadThroughput(TableReader& table) {
  Throughput row;
  row.chip = table.Text("chip");
  row.model = table.Text("model");
  row.lengths = table.Text("lengths");
  row.points = table.Pairs("points", {0.001, 1e6}, {0.001, 1e9});
  row.estimated = table.Flag("estimated", false);
  for (size_t i = 1; i < row.points.size(); ++i) {
    if (row.points[i].first <= row.points[i - 1].first ||
        row.points[i].second > row.points[i - 1].second) {
      table.Reject("points", "speeds must rise and throughputs must not");
    }
  }
  return row;
}

}  // namespace

Result<Catalog> ReadCatalog(std::string_view text, std::string where) {
  JIKJI_ASSIGN(TableReader file, TableReader::Parse(text, std::move(where)));
  Catalog catalog;
  for (TableReader& table : file.Tables("chip")) {
    catalog.chips.push_back(ReadChip(table));
    JIKJI_RETURN_IF_ERROR(table.Done());
  }
  for (TableReader& table : file.Tables("throughput")) {
    catalog.throughputs.push_back(ReadThroughput(table));
    if (!FindChip(catalog, catalog.throughputs.back().chip)) {
      table.Reject("chip", fmt::format("there is no chip `{}`", catalog.throughputs.back().chip));
    }
    JIKJI_RETURN_IF_ERROR(table.Done());
  }
  JIKJI_RETURN_IF_ERROR(file.Done());
  return catalog;
}

Result<const Chip*> FindChip(const Catalog& catalog, std::string_view name) {
  std::string known;
  for (const Chip& chip : catalog.chips) {
    if (chip.name == name) return &chip;
    known += (known.empty() ? "" : ", ") + chip.name;
  }
  return Fail(ErrorCode::kNotFound,
              fmt::format("there is no chip `{}`; known are {}", name, known));
}

Result<const Throughput*> FindThroughput(const Catalog& catalog, std::string_view chip,
                                         std::string_view model, std::string_view lengths) {
  for (const Throughput& row : catalog.throughputs) {
    if (row.chip == chip && row.model == model && row.lengths == lengths) return &row;
  }
  return Fail(ErrorCode::kNotFound,
              fmt::format("no throughput is known of {} with {} on {}; add a [[throughput]] to a "
                          "copy of the chips and name it with --chips",
                          model, lengths, chip));
}

double ThroughputAt(const Throughput& throughput, double speed) {
  const auto& points = throughput.points;
  if (points.empty() || speed > points.back().first) return 0;
  if (speed <= points.front().first) return points.front().second;
  size_t above = 1;
  while (points[above].first < speed) ++above;
  const auto& [low_speed, low] = points[above - 1];
  const auto& [high_speed, high] = points[above];
  const double share = std::log(speed / low_speed) / std::log(high_speed / low_speed);
  return low * std::pow(high / low, share);
}

}  // namespace jikji::fleet
