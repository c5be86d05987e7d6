// The chips a site can be built of: watts, price, and measured throughput at a speed per user.
#ifndef JIKJI_FLEET_CATALOG_H_
#define JIKJI_FLEET_CATALOG_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace jikji::fleet {

struct Chip {
  std::string name;
  int32_t gpus_per_rack = 0;
  int64_t rack_watts = 0;
  int64_t idle_watts = 0, decode_watts = 0, prefill_watts = 0, limit_watts = 0, floor_watts = 0;
  int64_t memory_gib = 0;
  double usd = 0;                      // of one GPU with its share of the server
  std::vector<std::string> estimated;  // the fields that nobody has published
};

// What one GPU gives at a service level.
struct Throughput {
  std::string chip;
  std::string model;
  std::string lengths;                            // "1024/1024": tokens of prompt and answer
  std::vector<std::pair<double, double>> points;  // tokens/s/user to tokens/s/GPU, both ascend/fall
  bool estimated = false;
};

struct Catalog {
  std::vector<Chip> chips;
  std::vector<Throughput> throughputs;
};

Result<Catalog> ReadCatalog(std::string_view text, std::string where);

Result<const Chip*> FindChip(const Catalog& catalog, std::string_view name);
Result<const Throughput*> FindThroughput(const Catalog& catalog, std::string_view chip,
                                         std::string_view model, std::string_view lengths);

// Output tokens per second and GPU where every user gets `speed` tokens per second: between two
// points on a line of logarithms; below the first as at it; 0 above the last.
double ThroughputAt(const Throughput& throughput, double speed);

}  // namespace jikji::fleet

#endif  // JIKJI_FLEET_CATALOG_H_
