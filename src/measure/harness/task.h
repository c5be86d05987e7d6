// The tasks that a model can be evaluated on, by name.
//
// KoBEST (Jang et al. 2022) and KLUE-NLI (Park et al. 2021) are read from files of the person's
// own; the files hold lm-evaluation-harness's prompts (items.h). The K-checks (korean/k_checks.h)
// and the questions of language_confusion are made here. Non-goals: fetching data, prompts of one's
// own.
#ifndef JIKJI_MEASURE_HARNESS_TASK_H_
#define JIKJI_MEASURE_HARNESS_TASK_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "measure/harness/items.h"

namespace jikji::measure {

// Of items, exact, questions and chats one is not empty.
struct Task {
  std::string name;
  std::string group;                   // whose mean it counts in; empty where there is none
  std::vector<ChoiceItem> items;       // scored by log-likelihood
  std::vector<ChoiceItem> examples;    // for few-shot of those; empty: the items themselves
  std::vector<ExactItem> exact;        // answered, and compared
  std::vector<std::string> questions;  // answered as in a chat, and looked at
  std::vector<ReferenceItem> chats;    // answered, and compared with an answer that is known
};

// Of a task whose items are made, where no limit says otherwise.
inline constexpr size_t kMadeItems = 200;

struct TaskOptions {
  std::filesystem::path data;  // the folder of the files
  size_t limit = 0;            // items of each task at most; 0: all
  size_t shots = 0;            // examples before each item
  uint64_t seed = 1234;        // of made items
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
