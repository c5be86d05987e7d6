// `jikji adapt pretrain`, `sft` and `dpo`: a model made better at text, at answering, at answering
// as is preferred.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "adapt/train/memory_plan.h"
#include "adapt/train/output.h"
#include "adapt/train/preflight.h"
#include "adapt/train/run.h"
#include "adapt/train/samples.h"
#include "app/adapt_commands.h"
#include "app/command.h"
#include "app/console.h"
#include "app/model_path.h"
#include "app/stop_signals.h"
#include "app/train_console.h"
#include "app/train_page.h"
#include "app/train_settings.h"
#include "base/json.h"
#include "model/spec_reader.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;

struct SftOptions : TrainSettings {
  std::vector<std::string> text;

  void AddTo(Settings& settings) {
    TrainSettings::AddTo(settings);
    settings.Add("text", &text,
                 {"Plain text to train on between the conversations, so that the model does not "
                  "forget what text is like; may be given often",
                  "대화 사이에 함께 학습할 글. 글을 잊지 않게 함. 여러 번 쓸 수 있음"});
  }
};

struct DpoOptions : TrainSettings {
  double beta = 0.1;

  void AddTo(Settings& settings) {
    TrainSettings::AddTo(settings);
    settings.Add("beta", &beta,
                 {"How strongly the model is held to what it was", "처음 모델에 붙들어 두는 세기"},
                 1e-6, 100);
  }
};

struct PretrainOptions : TrainSettings {
  bool fresh = false;

  void AddTo(Settings& settings) {
    TrainSettings::AddTo(settings);
    settings.Add("new", &fresh,
                 {"Begin with random weights: the folder needs config.json and a tokenizer only",
                  "무작위 가중치로 시작. 폴더에 config.json과 토크나이저만 있으면 됨"});
  }
};

enum class Kind { kText, kChat, kPreference };

// A model that has no weights yet.
Result<ModelDescription> DescribeNew(const fs::path& path) {
  ModelDescription out;
  out.name = path.filename().string();
  out.path = path;
  const std::string file = (path / "config.json").string();
  JIKJI_ASSIGN(const boost::json::value config, ParseJsonFile(file));
  if (!config.is_object()) return Fail(ErrorCode::kMalformed, "must be a JSON object", file);
  JIKJI_ASSIGN(out.spec, SpecFromConfig(config.get_object(), file));
  JIKJI_ASSIGN(out.tokenizer, LoadTokenizerJson(path / "tokenizer.json"));
  if (out.tokenizer->vocab_size() > out.spec.vocab) {
    return Fail(ErrorCode::kMalformed,
                fmt::format("the tokenizer has {} tokens, the model only {} embeddings",
                            out.tokenizer->vocab_size(), out.spec.vocab),
                file);
  }
  if (const auto eos = out.tokenizer->eos()) out.stop_ids.push_back(*eos);
  return out;
}

Result<train::Samples> Read(const std::vector<std::string>& files, Kind kind,
                            const ModelDescription& model, int64_t max_rows,
                            const std::vector<std::string>& text = {}) {
  train::Samples samples;
  for (const std::string& file : files) {
    const auto read = kind == Kind::kChat         ? train::ReadChats
                      : kind == Kind::kPreference ? train::ReadPreferences
                                                  : train::ReadTexts;
    JIKJI_RETURN_IF_ERROR(read(file, model, max_rows, samples));
  }
  for (const std::string& file : text) {
    JIKJI_RETURN_IF_ERROR(train::ReadTexts(file, model, max_rows, samples));
  }
  PrintRefused(samples);
  return samples;
}

Result<> Check(const TrainSettings& settings) {
  if (settings.model.empty() || settings.data.empty() || settings.out.empty()) {
    return Fail(
        ErrorCode::kInvalidArgument,
        std::string(Say("give --model, --data and --out", "--model, --data, --out을 지정하세요")));
  }
  if (settings.max_length > settings.batch_tokens) {
    return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("a document of --max-length {} does not fit a pass of --batch-tokens {}: "
                    "lower the one or raise the other",
                    settings.max_length, settings.batch_tokens));
  }
  return {};
}

Result<> Write(const TrainSettings& settings, const train::ModelOptions& options,
               const fs::path& base, train::TrainableDecoder& model) {
  const fs::path place = fs::path(settings.out) / (options.lora ? "adapter" : "model");
  JIKJI_RETURN_IF_ERROR(
      options.lora ? train::WriteAdapterFolder(place, base, model.parameters(), *options.lora)
                   : train::WriteModelFolder(
                         place, base, model.parameters(), *ParseDType(settings.dtype),
                         options.stage == train::Stage::kAll ? nullptr : model.checkpoint().get()));
  fmt::print("{}: {}\n", Say("written", "저장"), place.string());
  return {};
}

// What each document loses under the model as it is, one batch after the other.
std::vector<double> ReferenceLosses(train::TrainableDecoder& model,
                                    const std::vector<train::Document>& documents,
                                    int64_t batch_rows, ThreadPool& pool) {
  std::vector<double> out;
  train::Batch batch;
  const auto flush = [&] {
    const std::vector<double> losses = model.DocumentLosses(batch, pool);
    out.insert(out.end(), losses.begin(), losses.end());
    batch = {};
  };
  for (const train::Document& document : documents) {
    const auto rows = static_cast<int64_t>(document.tokens.size()) - 1;
    if (batch.rows() > 0 && batch.rows() + rows > batch_rows) flush();
    batch.Append(document);
  }
  flush();
  return out;
}

struct Task {
  Kind kind = Kind::kChat;
  bool fresh = false;                  // of kText: begin with random weights
  double beta = 0;                     // of kPreference
  std::vector<std::string> text = {};  // of kChat: files of text among the conversations
};

Result<> Train(TrainSettings& settings, const Task& task) {
  JIKJI_RETURN_IF_ERROR(Check(settings));
  JIKJI_ASSIGN(const train::ModelOptions options, settings.Model());
  JIKJI_ASSIGN(const fs::path path, FindModel(settings.model));
  JIKJI_ASSIGN(const ModelDescription model, task.fresh ? DescribeNew(path) : DescribeModel(path));
  const int64_t longest = std::min(settings.max_length, model.spec.max_position);
  JIKJI_ASSIGN(const train::Samples data,
               Read(settings.data, task.kind, model, longest, task.text));
  JIKJI_ASSIGN(const train::Samples held_out, Read(settings.eval_data, task.kind, model, longest));
  if (!settings.eval_data.empty() && held_out.documents.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "there is nothing in it to measure the loss on",
                "--eval-data");
  }
  JIKJI_ASSIGN(const train::Preflight seen,
               train::Inspect(data.documents, model, task.kind != Kind::kText));
  PrintPreflight(seen);

  train::RunOptions run;
  run.folder = settings.out;
  run.train = settings.Training(seen.tokens - seen.documents);
  if (settings.steps == 0) PrintShort(run.train.schedule.steps);
  run.checkpoint_seconds = settings.checkpoint_minutes * 60;
  run.evaluate_every = held_out.documents.empty()     ? 0
                       : settings.evaluate_every == 0 ? run.train.schedule.steps
                                                      : settings.evaluate_every;
  run.settings =
      fmt::format("rank={} alpha={} dora={} base={} new={} beta={} stage={} old={}",
                  settings.lora_rank, options.lora ? options.lora->alpha : 0.0, settings.dora,
                  settings.base_type, task.fresh, task.beta, settings.stage, settings.old_vocab);
  JIKJI_RETURN_IF_ERROR(CheckMemory(train::PlanMemory(model.checkpoint.get(), model.spec, options,
                                                      run.train.batch_rows, settings.Threads())));

  JIKJI_ASSIGN(const auto decoder,
               task.fresh ? train::TrainableDecoder::New(model.spec, options)
                          : train::TrainableDecoder::Load(model.checkpoint, model.spec, options));
  ThreadPool pool(settings.Threads());
  if (task.kind == Kind::kPreference) {
    run.train.preference = train::Preference{
        .beta = task.beta,
        .reference = ReferenceLosses(*decoder, data.documents, run.train.batch_rows, pool)};
  }
  std::unique_ptr<TrainPage> page;
  if (settings.live > 0) {
    JIKJI_ASSIGN(page, TrainPage::Start(settings.out, static_cast<uint16_t>(settings.live)));
    fmt::print("{}: {}\n", Say("live page", "실시간 페이지"), page->url());
    std::fflush(stdout);
  }
  const StopSignals signals;
  TrainProgress progress;
  JIKJI_ASSIGN(const train::RunEnd end,
               train::Run(
                   *decoder, {data.documents, held_out.documents}, run, signals.stop(),
                   [&](const train::RunProgress& step) {
                     if (step.resumed_at > 0 && step.point.step == step.resumed_at + 1)
                       PrintResumed(step.resumed_at);
                     progress.Show(step);
                     if (page) page->Show(step);
                   },
                   pool));
  progress.End();
  if (end.done && end.resumed_at == end.state.step) PrintResumed(end.resumed_at);
  if (!end.done) {
    fmt::print(fmt::runtime(Say("stopped after step {}; the same command goes on from there\n",
                                "{} 스텝 뒤에 멈춤. 같은 명령으로 이어집니다\n")),
               end.state.step);
    return {};
  }
  return Write(settings, options, path, *decoder);
}

Result<> Pretrain(PretrainOptions& options) {
  return Train(options, {.kind = Kind::kText, .fresh = options.fresh, .beta = 0});
}

Result<> Sft(SftOptions& options) {
  return Train(options, {.kind = Kind::kChat, .fresh = false, .beta = 0, .text = options.text});
}

Result<> Dpo(DpoOptions& options) {
  return Train(options, {.kind = Kind::kPreference, .fresh = false, .beta = options.beta});
}

}  // namespace

void AddAdaptTrainCommands(CommandGroup& adapt) {
  adapt.Add("pretrain", Say("Train on plain text", "글로 학습합니다"), &Pretrain);
  adapt.Add("sft",
            Say("Train on conversations: the loss is on the assistant's answers",
                "대화로 학습합니다. 답변에만 손실을 잽니다"),
            &Sft);
  adapt.Add("dpo",
            Say("Train on preferences: of two answers the better shall gain on the worse",
                "선호로 학습합니다. 두 답 가운데 나은 쪽을 키웁니다"),
            &Dpo);
}

}  // namespace jikji
