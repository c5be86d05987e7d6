// `jikji adapt`: weights to new weights.
#include "app/adapt_commands.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"

namespace jikji {

void AddAdaptCommands(Program& program) {
  CommandGroup adapt =
      program.AddGroup("adapt", Say("Make a new model of one: train, convert, merge, quantise",
                                    "모델을 새 모델로: 학습, 변환, 병합, 양자화"));
  AddAdaptTrainCommands(adapt);
  AddAdaptQuantizeCommand(adapt);
  AddAdaptConvertCommand(adapt);
  AddAdaptMergeCommand(adapt);
  AddAdaptExtractLoraCommand(adapt);
  AddAdaptTokenizerCommands(adapt);
}

}  // namespace jikji
