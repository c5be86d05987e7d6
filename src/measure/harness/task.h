// The tasks that a model can be evaluated on, by name.
//
// KoBEST (Jang et al. 2022) and KLUE-NLI (Park et al. 2021) are read from files of the person's
// own; the files hold lm-evaluation-harness's prompts (items.h). Non-goals: fetching data, prompts
// of one's own.
#ifndef JIKJI_MEASURE_HARNESS_TASK_H_
#define JIKJI_MEASURE_HARNESS_TASK_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "measure/harness/items.h"

namespace jikji::measure {

struct Task {
  std::string name;
  std::string group;  // whose mean it counts in; empty where there is none
  std::vector<ChoiceItem> items;
  std::vector<ChoiceItem> examples;  // for few-shot; empty: the items themselves
};

struct TaskOptions {
  std::filesystem::path data;  // the folder of the files
  size_t limit = 0;            // items of each task at most; 0: all
  size_t shots = 0;            // examples before each item
};

// Task and group names of `list`, parted by commas, as task names; none twice. An error names what
// there is.
Result<std::vector<std::string>> FindTasks(std::string_view list);

// `name` is one of FindTasks.
Result<Task> LoadTask(const std::string& name, const TaskOptions& options);

// The names of the tasks in a group.
std::vector<std::string> TasksOfGroup(std::string_view group);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_HARNESS_TASK_H_
