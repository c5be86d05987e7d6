// The commands of `jikji`: one file each. Add... makes the subcommand; what it does runs in its
// callback, which sets `*status`, the exit status of the program.
#ifndef JIKJI_APP_COMMANDS_H_
#define JIKJI_APP_COMMANDS_H_

namespace CLI {
class App;
}

namespace jikji {

void AddServeCommand(CLI::App& program, int* status);
void AddChatCommand(CLI::App& program, int* status);
void AddRunCommand(CLI::App& program, int* status);
void AddInspectCommand(CLI::App& program, int* status);
void AddBenchCommand(CLI::App& program, int* status);

}  // namespace jikji

#endif  // JIKJI_APP_COMMANDS_H_
