// The commands of `jikji adapt`: one file each.
#ifndef JIKJI_APP_ADAPT_COMMANDS_H_
#define JIKJI_APP_ADAPT_COMMANDS_H_

namespace jikji {

class CommandGroup;

void AddAdaptTrainCommands(CommandGroup& adapt);  // pretrain, sft, dpo
void AddAdaptQuantizeCommand(CommandGroup& adapt);
void AddAdaptConvertCommand(CommandGroup& adapt);
void AddAdaptMergeCommand(CommandGroup& adapt);
void AddAdaptExtractLoraCommand(CommandGroup& adapt);
void AddAdaptTokenizerCommands(CommandGroup& adapt);

}  // namespace jikji

#endif  // JIKJI_APP_ADAPT_COMMANDS_H_
