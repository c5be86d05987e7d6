// The commands of `jikji`: one file each.
#ifndef JIKJI_APP_COMMANDS_H_
#define JIKJI_APP_COMMANDS_H_

namespace jikji {

class Program;

void AddServeCommand(Program& program);
void AddChatCommand(Program& program);
void AddRunCommand(Program& program);
void AddInspectCommand(Program& program);
void AddBenchCommand(Program& program);
void AddEvalCommand(Program& program);
void AddPlanCommand(Program& program);
void AddAdaptCommands(Program& program);
void AddTenantCommand(Program& program);
void AddAuditCommand(Program& program);
void AddReplayCommand(Program& program);
void AddComplianceCommand(Program& program);
void AddSimulateCommand(Program& program);
void AddRouteCommand(Program& program);
void AddHubCommands(Program& program);
void AddFleetCommands(Program& program);

}  // namespace jikji

#endif  // JIKJI_APP_COMMANDS_H_
