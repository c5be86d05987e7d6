// The commands of `jikji hub`.
#ifndef JIKJI_APP_HUB_COMMANDS_H_
#define JIKJI_APP_HUB_COMMANDS_H_

namespace jikji {

class CommandGroup;

void AddHubServeCommand(CommandGroup& group);
void AddHubClientCommands(CommandGroup& group);   // pull, push, verify
void AddHubKeepCommands(CommandGroup& group);     // gc, account, quota
void AddHubCompactCommands(CommandGroup& group);  // compact, fsck
void AddHubSignCommands(CommandGroup& group);     // key, sign, check
void AddHubLineageCommands(CommandGroup& group);  // lineage, sbom
void AddHubBundleCommands(CommandGroup& group);   // bundle export, import
void AddHubMirrorCommand(CommandGroup& group);

}  // namespace jikji

#endif  // JIKJI_APP_HUB_COMMANDS_H_
