// A command of `jikji`: options with their settings, and what it does with them.
//
// An Options type has `void AddTo(Settings&)`, where it names its settings. CLI11 stays in
// command.cc and settings.cc.
#ifndef JIKJI_APP_COMMAND_H_
#define JIKJI_APP_COMMAND_H_

#include <functional>
#include <memory>
#include <string_view>

#include "app/settings.h"
#include "base/error.h"

namespace CLI {
class App;
}

namespace jikji {

// Commands under one word: those of the program, or those of `jikji adapt`.
class CommandGroup {
 public:
  // `run` is called with the options once flags, environment and file have been read into them.
  // Every command also has --config and
  // --check, which prints the effective settings instead.
  template <class Options>
  void Add(std::string_view name, std::string_view help, Result<> (*run)(Options&)) {
    struct State {
      Options options;
      Settings settings;
    };
    auto state = std::make_shared<State>();
    state->options.AddTo(state->settings);
    Add(name, help, std::shared_ptr<Settings>(state, &state->settings),
        [state, run] { return run(state->options); });
  }

  // Commands of a word of their own: `jikji NAME COMMAND`. Lives as long as the program.
  CommandGroup AddGroup(std::string_view name, std::string_view help);

 protected:
  CommandGroup(CLI::App* app, int* status) : app_(app), status_(status) {}

 private:
  void Add(std::string_view name, std::string_view help, std::shared_ptr<Settings> settings,
           std::function<Result<>()> run);

  CLI::App* app_;
  int* status_;  // the exit status
};

// The command line as a whole: commands are added to it, then it is run.
class Program : public CommandGroup {
 public:
  Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  // The exit status: 0, 2 for what the person asked wrongly, 1 for all else.
  int Run(int argc, char** argv);

 private:
  explicit Program(std::unique_ptr<CLI::App> app);

  std::unique_ptr<CLI::App> root_;
  int exit_status_ = 0;
};

}  // namespace jikji

#endif  // JIKJI_APP_COMMAND_H_
