#include "app/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "app/console.h"
#include "base/version.h"

namespace jikji {

Program::Program()
    : app_(std::make_unique<CLI::App>(
          std::string(Say("Jikji: run open-weight language models on your own machines.",
                          "직지: 공개 가중치 언어 모델을 내 장비에서 실행합니다.")),
          "jikji")) {
  app_->require_subcommand(1);
  app_->set_version_flag("--version", std::string("jikji ") + kVersion);
  app_->set_help_all_flag("--help-all",
                          std::string(Say("Help of every command", "모든 명령의 도움말")));
}

Program::~Program() = default;

void Program::Add(std::string_view name, std::string_view help, std::shared_ptr<Settings> settings,
                  std::function<Result<>()> run) {
  CLI::App* command = app_->add_subcommand(std::string(name), std::string(help));
  settings->AddFlags(*command);
  auto check = std::make_shared<bool>(false);
  command->add_flag("--check", *check,
                    std::string(Say("Print the effective settings as TOML and stop",
                                    "적용될 설정을 TOML로 출력하고 끝냅니다")));
  command->callback([this, check, settings = std::move(settings), run = std::move(run)] {
    auto done = settings->Resolve([](const char* variable) { return std::getenv(variable); });
    if (done && *check) {
      fmt::print("{}", settings->ToToml());
      return;
    }
    if (done) done = run();
    if (!done) status_ = ReportError(done.error());
  });
}

int Program::Run(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version come this way too, with 0.
    return app_->exit(error) == 0 ? 0 : 2;
  }
  return status_;
}

}  // namespace jikji
