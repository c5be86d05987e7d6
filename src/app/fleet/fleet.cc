// `jikji fleet`: nodes on machines that something else hands out.
#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/fleet/fleet_commands.h"

namespace jikji {

void AddFleetCommands(Program& program) {
  CommandGroup fleet = program.AddGroup("fleet", Say("Launch nodes through Slurm or Kubernetes",
                                                     "Slurm이나 Kubernetes로 노드를 띄웁니다"));
  AddFleetSlurmCommands(fleet);
  AddFleetKubernetesCommand(fleet);
}

}  // namespace jikji
