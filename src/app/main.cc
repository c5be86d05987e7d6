// `jikji`: one program, a command for each thing it does.
#include <CLI/CLI.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "base/version.h"

int main(int argc, char** argv) {
  using jikji::Say;
  CLI::App program{std::string(Say("Jikji: run open-weight language models on your own machines.",
                                   "직지: 공개 가중치 언어 모델을 내 장비에서 실행합니다.")),
                   "jikji"};
  program.require_subcommand(1);
  program.set_version_flag("--version", std::string("jikji ") + jikji::kVersion);
  program.set_help_all_flag("--help-all",
                            std::string(Say("Help of every command", "모든 명령의 도움말")));
  int status = 0;
  jikji::AddServeCommand(program, &status);
  jikji::AddChatCommand(program, &status);
  jikji::AddRunCommand(program, &status);
  jikji::AddInspectCommand(program, &status);
  jikji::AddBenchCommand(program, &status);
  CLI11_PARSE(program, argc, argv);
  return status;
}
