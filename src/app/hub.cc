// `jikji hub`: publish, download, verify and keep models.
#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/hub_commands.h"

namespace jikji {

void AddHubCommands(Program& program) {
  CommandGroup hub = program.AddGroup(
      "hub", Say("Publish and download models with the clients people already have",
                 "모델 허브: 쓰던 클라이언트 그대로 모델을 올리고 내려받음"));
  AddHubServeCommand(hub);
  AddHubClientCommands(hub);
  AddHubKeepCommands(hub);
  AddHubCompactCommands(hub);
  AddHubSignCommands(hub);
  AddHubLineageCommands(hub);
  AddHubBundleCommands(hub);
  AddHubMirrorCommand(hub);
}

}  // namespace jikji
