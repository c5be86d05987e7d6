// `jikji run`: one answer on standard output.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <iostream>
#include <iterator>

#include "app/chat_client.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "base/utf8.h"

namespace jikji {
namespace {

struct Options {
  EngineSettings engine;
  SamplingSettings sampling;
  std::string prompt;
  std::string system;
  bool raw = false;
  bool json = false;

  void AddTo(Settings& settings) {
    settings.AddPositional("PROMPT", &prompt,
                           {"The prompt; `-` or nothing: standard input",
                            "프롬프트. `-`이거나 없으면 표준 입력을 읽음"});
    engine.AddTo(settings);
    sampling.AddTo(settings);
    settings.Add("system", &system, {"System prompt", "시스템 프롬프트"});
    settings.Add("raw", &raw,
                 {"Go on from the prompt, without the chat template",
                  "채팅 템플릿 없이 프롬프트를 이어서 씀"});
    settings.Add("json", &json,
                 {"Print the answer and its counts as JSON", "답과 토큰 수를 JSON으로 출력"});
  }
};

Result<> Run(Options& options) {
  if (options.prompt.empty() || options.prompt == "-") {
    if (isatty(STDIN_FILENO) == 1) {
      return Fail(ErrorCode::kInvalidArgument,
                  "there is no prompt: give it as an argument, or pipe it in");
    }
    options.prompt.assign(std::istreambuf_iterator<char>(std::cin), {});
    while (options.prompt.ends_with('\n')) options.prompt.pop_back();
  }
  if (options.prompt.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "the prompt is empty");
  }
  if (!IsValidUtf8(options.prompt)) {
    return Fail(ErrorCode::kInvalidArgument, "the prompt is not UTF-8");
  }
  if (options.raw && !options.system.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "--raw takes no --system: there is no chat template");
  }
  JIKJI_ASSIGN(ChatClient client,
               ChatClient::Local(options.engine,
                                 options.raw ? ChatClient::Need::kText : ChatClient::Need::kChat));
  const auto on_text = [&](std::string_view text) {
    if (!options.json) {
      fmt::print("{}", text);
      std::fflush(stdout);
    }
    return true;
  };
  std::vector<ChatTurn> turns;
  if (!options.system.empty()) turns.push_back({"system", options.system});
  turns.push_back({"user", options.prompt});
  JIKJI_ASSIGN(const Reply reply, options.raw
                                      ? client.Complete(options.prompt, options.sampling, on_text)
                                      : client.Chat(turns, options.sampling, on_text));
  if (options.json) {
    const boost::json::object report = {{"text", reply.text},
                                        {"finish_reason", reply.finish_reason},
                                        {"prompt_tokens", reply.prompt_tokens},
                                        {"output_tokens", reply.output_tokens},
                                        {"first_text_seconds", reply.first_seconds},
                                        {"seconds", reply.seconds}};
    fmt::print("{}", boost::json::serialize(report));
  }
  fmt::print("\n");
  return {};
}

}  // namespace

void AddRunCommand(Program& program) {
  program.Add("run", Say("Print one answer of a model", "모델의 답 하나를 출력합니다"), &Run);
}

}  // namespace jikji
