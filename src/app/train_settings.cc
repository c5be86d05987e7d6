#include "app/train_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

#include "base/thread_pool.h"
#include "model/peft_adapter.h"

namespace jikji {
namespace {

// Customary peaks: adapters bear more than weights.
constexpr double kFullRate = 3e-4, kLoraRate = 1e-3;

}  // namespace

void TrainSettings::AddTo(Settings& s) {
  s.Add("model", &model,
        {"The model to train: a folder with config.json, tokenizer.json and safetensors",
         "학습할 모델: config.json, tokenizer.json, safetensors가 있는 폴더"});
  s.Add("data", &data,
        {"Files to train on; may be given often", "학습 자료 파일. 여러 번 쓸 수 있음"});
  s.Add("eval-data", &eval_data,
        {"Files to measure the loss on, which are not trained on",
         "손실을 재는 자료 파일. 학습하지 않음"});
  s.Add("out", &out,
        {"The run's folder; a run that was stopped goes on from what is in it",
         "실행 폴더. 멈춘 실행은 여기서 이어 감"});
  s.Add("steps", &steps, {"Steps; 0: by --epochs", "스텝 수. 0: --epochs로 정함"}, 0, 100'000'000);
  s.Add("epochs", &epochs, {"How often to go through the data", "자료를 도는 횟수"}, 0.001, 10'000);
  s.Add("learning-rate", &learning_rate,
        {"Its peak; 0: 3e-4 for all weights, 1e-3 for an adapter",
         "최고 학습률. 0: 전체 3e-4, 어댑터 1e-3"},
        0, 1);
  s.Add("floor", &floor,
        {"The last step's share of the peak", "마지막 스텝의 학습률. 최고값에 대한 비율"}, 0, 1);
  s.Add("warmup", &warmup,
        {"Steps of rising learning rate; -1: 3 % of all", "학습률을 올리는 스텝 수. -1: 3 %"}, -1,
        100'000'000);
  s.Add("batch-tokens", &batch_tokens,
        {"Tokens of one pass; documents are packed into it", "한 번에 처리하는 토큰 수"}, 16,
        1 << 24);
  s.Add("max-length", &max_length,
        {"The longest document: text is cut, a longer chat is refused",
         "가장 긴 글. 넘으면 글은 자르고 대화는 거절함"},
        8, 1 << 24);
  s.Add("accumulate", &accumulate, {"Passes of a step", "한 스텝의 처리 횟수"}, 1, 1 << 20);
  s.Add("clip", &clip,
        {"The largest norm of a gradient; 0: any", "기울기의 최대 크기. 0: 제한 없음"}, 0, 1e9);
  s.Add("weight-decay", &weight_decay, {"AdamW's decay of matrices", "행렬의 가중치 감쇠"}, 0, 10);
  s.Add("lora-rank", &lora_rank,
        {"Train a LoRA adapter of this rank; 0: all weights", "LoRA 어댑터의 랭크. 0: 전체 가중치"},
        0, 4096);
  s.Add("lora-alpha", &lora_alpha,
        {"LoRA's alpha; 0: twice the rank", "LoRA alpha. 0: 랭크의 두 배"}, 0, 1e6);
  s.Add("lora-targets", &lora_targets,
        {"Projections with an adapter, parted by commas (q_proj,v_proj); none given: all seven",
         "어댑터를 붙일 행렬, 쉼표로 나눔(q_proj,v_proj). 없으면 일곱 가지 모두"});
  s.Add("dora", &dora,
        {"DoRA: train the size of each row of the adapted matrices too",
         "DoRA: 어댑터를 붙인 행렬의 행 크기도 학습"});
  s.AddChoice("stage", &stage,
              {"After the vocabulary was extended: train the new rows, then the head, then all",
               "어휘를 늘린 뒤: 새 행, 출력 행렬, 전체 순으로 학습"},
              {"new-rows", "head", "all"});
  s.Add("old-vocab", &old_vocab,
        {"Of --stage: tokens before the vocabulary was extended", "--stage: 늘리기 전의 토큰 수"},
        0, 1 << 30);
  s.AddChoice(
      "base-type", &base_type,
      {"QLoRA: keep the frozen matrices in fewer bits", "QLoRA: 고정된 행렬을 더 적은 비트로 보관"},
      {"as it is", "Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K"});
  s.Add("recompute", &recompute,
        {"Compute activations twice to hold fewer: a third more time",
         "활성값을 다시 계산해 메모리를 아낌. 시간은 1/3 더 듦"});
  s.Add("seed", &seed, {"Of the order and of new weights", "순서와 새 가중치의 시드"}, 0,
        INT64_MAX);
  s.Add("threads", &threads, {"Threads; 0: one for each core", "스레드 수. 0: 코어마다"}, 0, 1024);
  s.Add("checkpoint-minutes", &checkpoint_minutes,
        {"Minutes between checkpoints", "체크포인트 간격(분)"}, 0, 100'000);
  s.Add("evaluate-every", &evaluate_every,
        {"Steps between measurements of --eval-data; 0: at the end only",
         "--eval-data를 재는 간격(스텝). 0: 끝에만"},
        0, 100'000'000);
  s.AddChoice("dtype", &dtype, {"The type of the new model's weights", "새 모델 가중치의 자료형"},
              {"F32", "F16", "BF16"});
  s.Add("live", &live,
        {"Port of a page on 127.0.0.1 that shows the curves while the run goes; 0: none",
         "실행 중에 곡선을 보여 주는 127.0.0.1 페이지의 포트. 0: 없음"},
        0, 65535);
}

Result<train::ModelOptions> TrainSettings::Model() const {
  train::ModelOptions options;
  options.recompute = recompute;
  options.seed = static_cast<uint64_t>(seed);
  if (base_type != "as it is") options.base_type = ParseDType(base_type);
  if (stage != "all") {
    if (lora_rank > 0) {
      return Fail(ErrorCode::kInvalidArgument,
                  "trains rows of the model itself: leave out --lora-rank", "--stage");
    }
    if (old_vocab == 0) {
      return Fail(ErrorCode::kInvalidArgument,
                  "needs --old-vocab: the tokens before `jikji adapt tokenizer extend`, which it "
                  "names as the first new id",
                  "--stage");
    }
    options.stage = stage == "head" ? train::Stage::kHead : train::Stage::kNewRows;
    options.old_vocab = old_vocab;
  }
  if (lora_rank == 0) {
    if (options.base_type || !lora_targets.empty() || dora) {
      return Fail(ErrorCode::kInvalidArgument,
                  "--base-type, --dora and --lora-targets are for adapters: give --lora-rank too");
    }
    return options;
  }
  train::LoraOptions lora;
  lora.rank = lora_rank;
  lora.dora = dora;
  lora.alpha = lora_alpha > 0 ? lora_alpha : 2.0 * static_cast<double>(lora_rank);
  if (!lora_targets.empty()) lora.targets.clear();
  std::vector<std::string> names;
  for (const std::string& given : lora_targets) {
    std::stringstream parts(given);
    for (std::string name; std::getline(parts, name, ',');) names.push_back(std::move(name));
  }
  if (names.empty() && !lora_targets.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "names no projection", "--lora-targets");
  }
  for (const std::string& name : names) {
    const auto found = std::ranges::find(AdapterTargets(), name, &AdapterTarget::module);
    if (found == AdapterTargets().end()) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("`{}` is none of q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, "
                              "down_proj",
                              name),
                  "--lora-targets");
    }
    lora.targets.push_back(found->role);
  }
  options.lora = lora;
  return options;
}

train::TrainOptions TrainSettings::Training(int64_t rows) const {
  train::TrainOptions options;
  const double of_step = static_cast<double>(batch_tokens * accumulate);
  int64_t count = steps;
  if (count == 0) {
    count = std::max<int64_t>(1, std::llround(epochs * static_cast<double>(rows) / of_step));
  }
  const double peak = learning_rate > 0 ? learning_rate : lora_rank > 0 ? kLoraRate : kFullRate;
  options.schedule = {.peak = peak,
                      .floor = peak * floor,
                      .warmup = warmup >= 0 ? std::min(warmup, count) : count * 3 / 100,
                      .steps = count};
  options.batch_rows = batch_tokens;
  options.accumulate = accumulate;
  options.clip = clip;
  options.weight_decay = weight_decay;
  options.seed = static_cast<uint64_t>(seed);
  return options;
}

size_t TrainSettings::Threads() const {
  return threads == 0 ? UsableCores() : static_cast<size_t>(threads);
}

}  // namespace jikji
