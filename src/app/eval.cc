// `jikji eval`: how good a model is: on tasks, at a text, and beside another; and a gate that a
// model must pass before it is published.
#include <fmt/format.h>

#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/device_model.h"
#include "app/engine_settings.h"
#include "app/eval_report.h"
#include "app/model_path.h"
#include "base/file.h"
#include "measure/harness/evaluate.h"
#include "measure/harness/reference.h"
#include "measure/harness/requirement.h"
#include "measure/harness/text_bits.h"
#include "measure/perplexity.h"
#include "model/model.h"

namespace jikji {
namespace {

struct Options {
  EngineSettings engine;
  std::string model;
  std::string task;
  std::string data;
  std::string text;
  std::string chats;
  std::string against;
  std::vector<std::string> require;  // a list, so that one that is given and empty is no gate
  std::string html;
  int64_t shots = 0;
  int64_t limit = 0;
  int64_t seed = 1234;  // lm-evaluation-harness's
  int64_t window = 512;
  int64_t windows = 0;
  bool json = false;

  void AddTo(Settings& settings) {
    settings.AddPositional("MODEL", &model,
                           {"The model, instead of --model", "모델 (--model 대신)"});
    engine.AddTo(settings);
    settings.Add("task", &task,
                 {"Tasks, parted by commas: kobest, klue_nli, k_checks, language_confusion",
                  "쉼표로 나눈 과제: kobest, klue_nli, k_checks, language_confusion"});
    settings.Add("data", &data,
                 {"Folder of the tasks' files (NAME.jsonl or .jsonl.zst)",
                  "과제 파일이 있는 폴더(NAME.jsonl 또는 .jsonl.zst)"});
    settings.Add("shots", &shots,
                 {"Solved examples before each item", "문항 앞에 보여 줄 풀이 예의 수"}, 0, 1000);
    settings.Add("limit", &limit,
                 {"Items of each task at most; 0: all", "과제마다 최대 문항 수. 0이면 모두"}, 0,
                 1 << 24);
    settings.Add("text", &text,
                 {"UTF-8 file, plain or .zst: its bits per byte and perplexity are measured",
                  "바이트당 비트와 퍼플렉서티를 잴 UTF-8 파일(.zst 가능)"});
    settings.Add("chats", &chats,
                 {"Conversations as for adapt sft: what the model answers is compared with their "
                  "last answers",
                  "adapt sft와 같은 대화 파일: 모델의 답을 마지막 답과 견줌"});
    settings.Add("window", &window,
                 {"Tokens of the text read at a time", "글을 한 번에 읽는 토큰 수"}, 4, 1 << 20);
    settings.Add("windows", &windows, {"Windows at most; 0: all", "최대 창 수. 0이면 모두"}, 0,
                 1 << 24);
    settings.Add(
        "against", &against,
        {"Another model, measured on the same and compared", "같은 것으로 견줄 다른 모델"});
    settings.Add("require", &require,
                 {"What must be reached, or the command fails: kobest>=0.45,bits_per_byte<=1.9; "
                  "`against` stands for the other model's score; may be given often",
                  "넘어야 할 기준. 못 미치면 명령이 실패: kobest>=0.45,bits_per_byte<=1.9. "
                  "`against`는 견주는 모델의 점수. 여러 번 쓸 수 있음"});
    settings.Add("seed", &seed, {"Of the examples and of the intervals", "예와 구간 추정의 시드"},
                 0, INT64_MAX);
    settings.Add("html", &html,
                 {"Write a page with plots to this file", "그림이 있는 페이지를 이 파일에 씀"});
    settings.Add(
        "json", &json,
        {"Print JSON, each item's log-likelihoods included", "문항별 로그 우도까지 JSON으로 출력"});
  }
};

// What every model is put to.
struct Work {
  std::vector<measure::Task> tasks;
  std::string text;
  EngineOptions engine;
};

// The BOS that the tokenizer puts before a text, if it does.
std::optional<TokenId> AddedBos(const Tokenizer& tokenizer) {
  const auto bos = tokenizer.bos();
  const auto with = tokenizer.Encode("a", {.add_special = true});
  const bool added = bos && with.size() > tokenizer.Encode("a").size() && with.front() == *bos;
  return added ? bos : std::nullopt;
}

Result<TextFigures> MeasureText(const Options& options, const Work& work, Model& model) {
  const Tokenizer& tokenizer = *model.description.tokenizer;
  const auto tokens = tokenizer.Encode(work.text, {.add_special = true});
  ThreadPool pool(work.engine.threads == 0 ? UsableCores() : work.engine.threads);
  Progress progress(std::string(Say("perplexity", "퍼플렉서티")));
  JIKJI_ASSIGN(const measure::Perplexity perplexity,
               measure::MeasurePerplexity(*model.decoder, tokens,
                                          {.window = static_cast<int32_t>(options.window),
                                           .most_windows = options.windows,
                                           .bos = AddedBos(tokenizer),
                                           .kv_dtype = work.engine.kv_dtype},
                                          pool, [&](double share) { progress.Show(share); }));
  return TextFigures{.file = options.text,
                     .tokens = static_cast<int64_t>(tokens.size()),
                     .window = options.window,
                     .perplexity = perplexity};
}

// The beginning of the text that `--windows` windows hold, in whole characters.
void CutText(const Options& options, const Tokenizer& tokenizer, std::string& text) {
  if (options.windows == 0) return;
  size_t bytes = 0;
  const auto tokens = tokenizer.Encode(text);
  const auto most = static_cast<size_t>(options.windows * options.window);
  for (size_t i = 0; i < std::min(most, tokens.size()); ++i) {
    bytes += tokenizer.TokenBytes(tokens[i]).size();
  }
  while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) ++bytes;
  text.resize(std::min(bytes, text.size()));
}

Result<ModelReport> Measure(const Options& options, const std::string& wanted, Work& work) {
  JIKJI_ASSIGN(const auto path, FindModel(wanted));
  Model model;
  {
    Progress progress(std::string(Say("loading", "불러오는 중")));
    JIKJI_ASSIGN(const GpuGroup devices,
                 OpenOneCopy(options.engine.device, options.engine.tensor_parallel));
    JIKJI_ASSIGN(model, LoadModelOn(devices, path, work.engine,
                                    [&](double share) { progress.Show(share); }));
  }
  ModelReport report;
  report.name = model.description.name;
  if (!work.text.empty()) {
    JIKJI_ASSIGN(report.text, MeasureText(options, work, model));
    CutText(options, *model.description.tokenizer, work.text);
  }
  JIKJI_ASSIGN(const auto engine, Engine::Start(std::move(model), work.engine));
  measure::Scorer scorer(*engine);
  for (const measure::Task& task : work.tasks) {
    Progress progress(task.name);
    JIKJI_ASSIGN(measure::TaskResult result,
                 measure::Evaluate(scorer, task, static_cast<size_t>(options.shots),
                                   static_cast<uint64_t>(options.seed),
                                   [&](double share) { progress.Show(share); }));
    report.results.push_back(std::move(result));
  }
  if (!work.text.empty()) {
    Progress progress(std::string(Say("bits per byte", "바이트당 비트")));
    measure::TaskResult result;
    result.name = "bits_per_byte";
    JIKJI_ASSIGN(measure::Metric bits,
                 measure::TextBits(scorer, work.text, static_cast<size_t>(options.window),
                                   [&](double share) { progress.Show(share); }));
    result.metrics.push_back(std::move(bits));
    report.results.push_back(std::move(result));
  }
  report.scores = measure::ScoreTable(report.results, static_cast<uint64_t>(options.seed));
  return report;
}

Result<Work> Prepare(const Options& options) {
  Work work;
  JIKJI_ASSIGN(work.engine, options.engine.Apply());
  JIKJI_ASSIGN(const auto names, measure::FindTasks(options.task));
  if (names.empty() && options.text.empty() && options.chats.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("there is nothing to evaluate on: give --task, --text or --chats",
                                "무엇으로 평가할지 --task, --text, --chats로 지정하세요")));
  }
  for (const std::string& name : names) {
    JIKJI_ASSIGN(measure::Task task,
                 measure::LoadTask(name, {.data = options.data,
                                          .limit = static_cast<size_t>(options.limit),
                                          .shots = static_cast<size_t>(options.shots),
                                          .seed = static_cast<uint64_t>(options.seed)}));
    work.tasks.push_back(std::move(task));
  }
  if (!options.chats.empty()) {
    measure::Task task;
    task.name = "answers";
    JIKJI_ASSIGN(task.chats,
                 measure::ReadReferenceItems(options.chats, static_cast<size_t>(options.limit)));
    work.tasks.push_back(std::move(task));
  }
  if (!options.text.empty()) {
    JIKJI_ASSIGN(work.text, measure::ReadText(options.text));
  }
  return work;
}

// Before the measuring, which may take an hour: whether the page's folder is there.
Result<> CheckPlace(const std::string& html) {
  if (html.empty()) return {};
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::absolute(html, ignored).parent_path();
  if (std::filesystem::is_directory(html, ignored) ||
      !std::filesystem::is_directory(folder, ignored)) {
    return Fail(ErrorCode::kNotFound, "the page cannot be written there", "--html: " + html);
  }
  return {};
}

Result<> CheckGate(const EvalReport& report) {
  const std::string failed = FailedRequirements(report.verdicts);
  if (failed.empty()) return {};
  return Fail(ErrorCode::kUnavailable,
              std::string(Say("the model does not reach what is required: ",
                              "모델이 기준에 못 미칩니다: ")) +
                  failed);
}

Result<> Eval(Options& options) {
  std::vector<measure::Requirement> requirements;
  for (const std::string& text : options.require) {
    JIKJI_ASSIGN(const auto some, measure::ParseRequirements(text));
    requirements.insert(requirements.end(), some.begin(), some.end());
  }
  JIKJI_RETURN_IF_ERROR(CheckPlace(options.html));
  if (!options.against.empty()) JIKJI_RETURN_IF_ERROR(FindModel(options.against));
  JIKJI_ASSIGN(Work work, Prepare(options));
  EvalReport report{.shots = options.shots,
                    .seed = static_cast<uint64_t>(options.seed),
                    .models = {},
                    .verdicts = {}};
  const std::string& ours_at = options.model.empty() ? options.engine.model : options.model;
  JIKJI_ASSIGN(ModelReport ours, Measure(options, ours_at, work));
  report.models.push_back(std::move(ours));
  if (!options.against.empty()) {
    JIKJI_ASSIGN(ModelReport theirs, Measure(options, options.against, work));
    report.models.push_back(std::move(theirs));
    // Two runs' folders both end in `model`: the paths tell them apart.
    if (report.models[0].name == report.models[1].name) {
      report.models[0].name = ours_at;
      report.models[1].name = options.against;
    }
  }
  using Scores = std::vector<measure::Score>;
  report.verdicts = measure::Judge(requirements, report.models.front().scores,
                                   report.models.size() > 1 ? report.models[1].scores : Scores{});
  fmt::print("{}",
             options.json ? boost::json::serialize(EvalJson(report)) + "\n" : EvalText(report));
  if (!options.html.empty()) {
    JIKJI_RETURN_IF_ERROR(WriteFileAtomic(options.html, EvalPage(report)));
  }
  return CheckGate(report);
}

}  // namespace

void AddEvalCommand(Program& program) {
  program.Add("eval",
              Say("Measure how good a model is, alone or beside another, and hold it to a gate",
                  "모델이 얼마나 좋은지 재고, 다른 모델과 견주고, 기준으로 거릅니다"),
              &Eval);
}

}  // namespace jikji
