// The commands of `jikji fleet`: one file each.
#ifndef JIKJI_APP_FLEET_FLEET_COMMANDS_H_
#define JIKJI_APP_FLEET_FLEET_COMMANDS_H_

namespace jikji {

class CommandGroup;

void AddFleetSlurmCommands(CommandGroup& fleet);
void AddFleetKubernetesCommand(CommandGroup& fleet);

}  // namespace jikji

#endif  // JIKJI_APP_FLEET_FLEET_COMMANDS_H_
