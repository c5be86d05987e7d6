// What a GPU draws in an operation of a shape: measured rows, and a look-up between them.
//
// Rows of the same operation, types and kernel are compared by the logarithms of their dimensions;
// watts of an unmeasured shape are the mean of the nearest rows, weighted by nearness. Linear fits
// on use of compute and bandwidth explain attention not at all (R² near 0), hence a table.
#ifndef JIKJI_TWIN_POWER_TABLE_H_
#define JIKJI_TWIN_POWER_TABLE_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji::twin {

struct PowerRow {
  std::string kind;           // all that is not a dimension
  std::vector<double> shape;  // log2(1 + dimension)
  double seconds = 0;
  double watts = 0;
};

// The CSV of aiconfigurator: `latency` in ms, `power` in W, dimensions by their names; all other
// columns make up the kind. Rows without watts are left out.
Result<std::vector<PowerRow>> ParsePowerRows(std::string_view csv, std::string where);

class PowerTable {
 public:
  explicit PowerTable(std::vector<PowerRow> rows);

  // Of the four nearest rows of the kind; nullopt where there is none.
  std::optional<double> Watts(const std::string& kind, const std::vector<double>& shape) const;

 private:
  std::map<std::string, std::vector<PowerRow>> kinds_;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_POWER_TABLE_H_
