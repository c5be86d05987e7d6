// What an adapter's folder says of itself: adapter_config.json as PEFT writes it.
#ifndef JIKJI_ADAPT_WEIGHTS_PEFT_FOLDER_H_
#define JIKJI_ADAPT_WEIGHTS_PEFT_FOLDER_H_

#include <boost/json.hpp>
#include <filesystem>
#include <span>

#include "model/peft_adapter.h"

namespace jikji {

// `base`: where the model lies that is adapted; PEFT looks for it there.
boost::json::object PeftConfigJson(const PeftConfig& config, std::span<const TensorRole> targets,
                                   const std::filesystem::path& base);

}  // namespace jikji

#endif  // JIKJI_ADAPT_WEIGHTS_PEFT_FOLDER_H_
