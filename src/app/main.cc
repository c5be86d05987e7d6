// `jikji`: one program, a command for each thing it does.
#include "app/command.h"
#include "app/commands.h"

int main(int argc, char** argv) {
  jikji::Program program;
  jikji::AddServeCommand(program);
  jikji::AddChatCommand(program);
  jikji::AddRunCommand(program);
  jikji::AddInspectCommand(program);
  jikji::AddBenchCommand(program);
  jikji::AddEvalCommand(program);
  jikji::AddPlanCommand(program);
  jikji::AddAdaptCommands(program);
  jikji::AddTenantCommand(program);
  jikji::AddAuditCommand(program);
  jikji::AddReplayCommand(program);
  jikji::AddComplianceCommand(program);
  jikji::AddSimulateCommand(program);
  jikji::AddRouteCommand(program);
  jikji::AddHubCommands(program);
  jikji::AddFleetCommands(program);
  return program.Run(argc, argv);
}
