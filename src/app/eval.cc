// `jikji eval`: how good a model is: so far, its perplexity on a text.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/engine_settings.h"
#include "app/model_path.h"
#include "base/file.h"
#include "measure/perplexity.h"
#include "model/model.h"

namespace jikji {
namespace {

struct Options {
  EngineSettings engine;
  std::string text;
  int64_t window = 512;
  int64_t windows = 0;
  bool json = false;

  void AddTo(Settings& settings) {
    engine.AddTo(settings);
    settings.Add("text", &text,
                 {"UTF-8 file whose perplexity is measured", "퍼플렉서티를 잴 UTF-8 파일"});
    settings.Add("window", &window,
                 {"Tokens read at a time; those of the second half are scored",
                  "한 번에 읽는 토큰 수. 뒤쪽 절반을 채점"},
                 4, 1 << 20);
    settings.Add("windows", &windows, {"Windows at most; 0: all", "최대 창 수. 0이면 모두"}, 0,
                 1 << 24);
    settings.Add("json", &json, {"Print JSON", "JSON으로 출력"});
  }
};

// The BOS that the tokenizer puts before a text, if it does.
std::optional<TokenId> AddedBos(const Tokenizer& tokenizer) {
  const auto bos = tokenizer.bos();
  const auto with = tokenizer.Encode("a", {.add_special = true});
  const bool added = bos && with.size() > tokenizer.Encode("a").size() && with.front() == *bos;
  return added ? bos : std::nullopt;
}

Result<> Eval(Options& options) {
  if (options.text.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "there is nothing to evaluate on: give --text FILE");
  }
  JIKJI_ASSIGN(const EngineOptions engine, options.engine.Apply());
  JIKJI_ASSIGN(const std::string text, ReadFile(options.text));
  JIKJI_ASSIGN(const auto path, FindModel(options.engine.model));
  JIKJI_ASSIGN(Model model, LoadModel(path));
  const Tokenizer& tokenizer = *model.description.tokenizer;
  const auto tokens = tokenizer.Encode(text, {.add_special = true});
  ThreadPool pool(engine.threads == 0 ? UsableCores() : engine.threads);
  measure::Perplexity result;
  {
    Progress progress(std::string(Say("reading", "읽는 중")));
    JIKJI_ASSIGN(result,
                 measure::MeasurePerplexity(*model.decoder, tokens,
                                            {.window = static_cast<int32_t>(options.window),
                                             .most_windows = options.windows,
                                             .bos = AddedBos(tokenizer),
                                             .kv_dtype = engine.kv_dtype},
                                            pool, [&](double share) { progress.Show(share); }));
  }
  if (options.json) {
    const boost::json::object report = {
        {"model", model.description.name}, {"text", options.text},
        {"tokens", tokens.size()},         {"window", options.window},
        {"windows", result.windows},       {"scored", result.scored},
        {"perplexity", result.perplexity}, {"standard_error", result.standard_error}};
    fmt::print("{}\n", boost::json::serialize(report));
  } else {
    fmt::print(fmt::runtime(Say("perplexity {:.4f} ± {:.4f}, over {} tokens in {} windows of {}\n",
                                "퍼플렉서티 {:.4f} ± {:.4f}, {}토큰, 창 {}개(창마다 {}토큰)\n")),
               result.perplexity, result.standard_error, result.scored, result.windows,
               options.window);
  }
  return {};
}

}  // namespace

void AddEvalCommand(Program& program) {
  program.Add("eval",
              Say("Measure a model's perplexity on a text", "글에 대한 퍼플렉서티를 잽니다"),
              &Eval);
}

}  // namespace jikji
