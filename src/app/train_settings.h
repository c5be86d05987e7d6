// What `jikji adapt pretrain`, `sft` and `dpo` share: their settings, and a run by them.
#ifndef JIKJI_APP_TRAIN_SETTINGS_H_
#define JIKJI_APP_TRAIN_SETTINGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "adapt/train/model_options.h"
#include "adapt/train/trainer.h"
#include "app/settings.h"
#include "base/error.h"

namespace jikji {

struct TrainSettings {
  std::string model;
  std::vector<std::string> data, eval_data;
  std::string out;
  int64_t steps = 0;
  double epochs = 1;
  double learning_rate = 0;  // 0: by what is trained
  double floor = 0.1;
  int64_t warmup = -1;  // -1: 3 % of the steps
  int64_t batch_tokens = 2048;
  int64_t max_length = 1024;
  int64_t accumulate = 1;
  double clip = 1.0;
  double weight_decay = 0.1;
  int64_t lora_rank = 0;
  double lora_alpha = 0;  // 0: twice the rank
  std::vector<std::string> lora_targets;
  bool dora = false;
  std::string stage = "all";
  int64_t old_vocab = 0;
  std::string base_type = "as it is";
  bool recompute = false;
  int64_t seed = 1;
  int64_t threads = 0;
  double checkpoint_minutes = 5;
  int64_t evaluate_every = 0;
  std::string dtype = "BF16";
  int64_t live = 0;  // port; 0: none

  void AddTo(Settings& settings);

  Result<train::ModelOptions> Model() const;
  // `rows`: of all documents; what an epoch is.
  train::TrainOptions Training(int64_t rows) const;
  size_t Threads() const;
};

}  // namespace jikji

#endif  // JIKJI_APP_TRAIN_SETTINGS_H_
