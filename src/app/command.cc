#include "app/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "app/console.h"
#include "base/version.h"

namespace jikji {

CommandGroup CommandGroup::AddGroup(std::string_view name, std::string_view help) {
  CLI::App* group = app_->add_subcommand(std::string(name), std::string(help));
  group->require_subcommand(1);
  return CommandGroup(group, status_);
}

void CommandGroup::Add(std::string_view name, std::string_view help,
                       std::shared_ptr<Settings> settings, std::function<Result<>()> run) {
  CLI::App* command = app_->add_subcommand(std::string(name), std::string(help));
  settings->AddFlags(*command);
  auto check = std::make_shared<bool>(false);
  command->add_flag("--check", *check,
                    std::string(Say("Print the effective settings as TOML and stop",
                                    "적용될 설정을 TOML로 출력하고 끝냅니다")));
  command->callback(
      [status = status_, check, settings = std::move(settings), run = std::move(run)] {
        auto done = settings->Resolve([](const char* variable) { return std::getenv(variable); });
        if (done && *check) {
          fmt::print("{}", settings->ToToml());
          return;
        }
        if (done) done = run();
        // What was printed may lie in a buffer still: a full disk is told, not passed over.
        if (done && (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)) {
          done = Fail(ErrorCode::kIo, std::strerror(errno),
                      std::string(Say("standard output", "표준 출력")));
        }
        if (!done) *status = ReportError(done.error());
      });
}

Program::Program()
    : Program(std::make_unique<CLI::App>(
          std::string(Say("Jikji: run open-weight language models on your own machines.",
                          "직지: 공개 가중치 언어 모델을 내 장비에서 실행합니다.")),
          "jikji")) {}

Program::Program(std::unique_ptr<CLI::App> app)
    : CommandGroup(app.get(), &exit_status_), root_(std::move(app)) {
  root_->require_subcommand(1);
  root_->set_version_flag("--version", std::string("jikji ") + kVersion);
  root_->set_help_all_flag("--help-all",
                           std::string(Say("Help of every command", "모든 명령의 도움말")));
}

Program::~Program() = default;

int Program::Run(int argc, char** argv) {
  try {
    root_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version come this way too, with 0.
    return root_->exit(error) == 0 ? 0 : 2;
  }
  return exit_status_;
}

}  // namespace jikji
