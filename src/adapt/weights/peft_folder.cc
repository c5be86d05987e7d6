#include "adapt/weights/peft_folder.h"

#include <algorithm>

namespace jikji {

boost::json::object PeftConfigJson(const PeftConfig& config, std::span<const TensorRole> targets,
                                   const std::filesystem::path& base) {
  boost::json::array modules;
  for (const AdapterTarget& target : AdapterTargets()) {
    if (std::ranges::find(targets, target.role) != targets.end())
      modules.push_back(boost::json::value(target.module));
  }
  boost::json::value saved = nullptr;
  if (config.saves_embedding || config.saves_head) saved = boost::json::array();
  if (config.saves_embedding) saved.as_array().emplace_back("embed_tokens");
  if (config.saves_head) saved.as_array().emplace_back("lm_head");
  return {{"peft_type", "LORA"},
          {"task_type", "CAUSAL_LM"},
          {"base_model_name_or_path", base.string()},
          {"r", config.rank},
          {"lora_alpha", config.alpha},
          {"lora_dropout", 0.0},
          {"target_modules", std::move(modules)},
          {"bias", "none"},
          {"fan_in_fan_out", false},
          {"init_lora_weights", true},
          {"modules_to_save", std::move(saved)},
          {"use_rslora", config.rank_stabilised},
          {"use_dora", config.dora},
          {"inference_mode", true}};
}

}  // namespace jikji
