// `jikji replay RECEIPT`: makes the answer of a receipt again and says whether it is the same, bit
// for bit.
#include "api/replay.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/engine_settings.h"
#include "app/model_digest.h"
#include "base/file.h"
#include "base/version.h"

namespace jikji {
namespace {

struct Options {
  EngineSettings engine;
  std::string receipt;
  std::string request;
  std::string guard;
  std::vector<std::string> adapters;

  void AddTo(Settings& settings) {
    settings.AddPositional("RECEIPT", &receipt,
                           {"File with the receipt, or with the answer that has it",
                            "영수증 파일, 또는 영수증이 든 응답 파일"});
    settings.Add("request", &request,
                 {"File with the request body that was sent", "보냈던 요청 본문 파일"});
    settings.Add("guard", &guard,
                 {"Privacy guard of the server that answered, as `serve --guard` takes it",
                  "응답한 서버의 개인정보 보호 설정(`serve --guard`와 같음)"});
    settings.Add("adapter", &adapters,
                 {"NAME=FOLDER of the adapter that answered, as `serve --adapter` takes it",
                  "응답한 어댑터의 NAME=폴더(`serve --adapter`와 같음)"});
    engine.AddTo(settings);
  }
};

Result<> Replay(Options& options) {
  if (options.receipt.empty() || options.request.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("say jikji replay RECEIPT --request FILE",
                                "jikji replay 영수증 --request 파일 형식으로 적어 주세요")));
  }
  JIKJI_ASSIGN(const std::string text, ReadFile(options.receipt));
  JIKJI_ASSIGN(const KeptAnswer kept, ReadKeptAnswer(text, options.receipt));
  JIKJI_ASSIGN(const std::string body, ReadFile(options.request));
  JIKJI_ASSIGN(const ReplaySetting setting, SettingOf(kept.receipt));
  options.engine.isa = setting.isa;
  options.engine.kv_dtype = setting.kv_dtype;
  JIKJI_ASSIGN(const EngineOptions engine_options, options.engine.Apply());
  LocalPolicy policy;
  ApiOptions api;
  api.version = kVersion;
  JIKJI_ASSIGN(const std::vector<NamedAdapter> adapters, ParseAdapters(options.adapters));
  JIKJI_ASSIGN(ModelDigests digests, DigestAll(options.engine.model, adapters));
  api.model_digest = std::move(digests.model);
  api.adapter_digests = std::move(digests.adapters);
  if (!options.guard.empty()) {
    JIKJI_ASSIGN(const guard::Policy guard_policy, guard::LoadPolicy(options.guard));
    api.guard = guard::MakePrivacyGuard(guard_policy);
  }
  JIKJI_ASSIGN(const LoadedEngine loaded, StartEngine(options.engine, engine_options, adapters));
  const ApiContext context(*loaded.engine, policy, std::move(api));
  const auto choices = jikji::Replay(context, kept, body);
  if (!choices) {
    return Fail(ErrorCode::kInvalidArgument, choices.error().message, options.receipt);
  }
  size_t different = 0;
  for (const ReplayedChoice& choice : *choices) {
    if ((!choice.same && choice.compared) || choice.retouched) ++different;
    fmt::print("{}\n", choice.text);
    fmt::print(stderr, fmt::runtime(Say("{} tokens: {}\n", "토큰 {}개: {}\n")), choice.tokens,
               !choice.compared
                   ? Say("cut by the guard, not compared", "보호 장치가 끊어 비교 안 함")
               : choice.same && choice.retouched
                   ? Say("the same, but the kept text is ANOTHER", "같으나 보관된 글이 다름")
               : choice.same ? Say("the same, bit for bit", "비트까지 같음")
                             : Say("DIFFERENT", "다름"));
  }
  if (different == 0) return {};
  return Fail(ErrorCode::kMalformed,
              fmt::format(fmt::runtime(Say("{} choices differ from what was kept",
                                           "보관된 것과 다른 답이 {}개 있습니다")),
                          different),
              options.receipt);
}

}  // namespace

void AddReplayCommand(Program& program) {
  program.Add(
      "replay",
      Say("Make the answer of a receipt again and compare", "영수증의 답을 다시 만들어 비교합니다"),
      &Replay);
}

}  // namespace jikji
