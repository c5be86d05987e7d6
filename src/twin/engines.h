// Serving engines as data: how long a step takes for a model on a node, fitted to measurements.
#ifndef JIKJI_TWIN_ENGINES_H_
#define JIKJI_TWIN_ENGINES_H_

#include <string>
#include <string_view>
#include <vector>

#include "twin/replicas.h"

namespace jikji::twin {

struct NamedEngine {
  std::string model;
  std::string chip;
  int32_t gpus = 1;  // of a node
  EngineModel engine;
};

Result<std::vector<NamedEngine>> ReadEngines(std::string_view text, std::string where);

Result<NamedEngine> FindEngine(const std::vector<NamedEngine>& engines, std::string_view model,
                               std::string_view chip);

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_ENGINES_H_
