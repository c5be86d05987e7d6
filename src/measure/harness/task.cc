#include "measure/harness/task.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "measure/korean/k_checks.h"
#include "measure/korean/questions.h"

namespace jikji::measure {
namespace {

namespace fs = std::filesystem;

struct TaskEntry {
  std::string_view name, group;
  std::string_view file = {};      // without .jsonl or .jsonl.zst; empty: the items are made
  std::string_view examples = {};  // likewise; empty: the items themselves
  ChoiceItem (*make)(Random&) = nullptr;
  ExactItem (*make_exact)(Random&) = nullptr;
};

constexpr std::array kTasks = {
    TaskEntry{"kobest_boolq", "kobest", "kobest_boolq", "kobest_boolq_train"},
    TaskEntry{"kobest_copa", "kobest", "kobest_copa", "kobest_copa_train"},
    TaskEntry{"kobest_hellaswag", "kobest", "kobest_hellaswag", "kobest_hellaswag_train"},
    TaskEntry{"kobest_sentineg", "kobest", "kobest_sentineg", "kobest_sentineg_train"},
    TaskEntry{"kobest_wic", "kobest", "kobest_wic", "kobest_wic_train"},
    // Its test set is not public: the development set is what is evaluated on.
    TaskEntry{"klue_nli", "", "klue_nli_dev", ""},
    TaskEntry{.name = "k_particle", .group = "k_checks", .make = &ParticleItem},
    TaskEntry{.name = "k_number", .group = "k_checks", .make = &NumberItem},
    TaskEntry{.name = "k_date", .group = "k_checks", .make = &DateItem},
    TaskEntry{.name = "k_spacing", .group = "k_checks", .make = &SpacingItem},
    TaskEntry{.name = "k_roman", .group = "k_checks", .make = &RomanItem},
    TaskEntry{.name = "k_digits", .group = "k_checks", .make_exact = &NumberToDigits},
    TaskEntry{.name = "language_confusion", .group = ""},
};

std::string KnownNames() {
  std::string names = "kobest, k_checks";
  for (const TaskEntry& task : kTasks) names += fmt::format(", {}", task.name);
  return names;
}

Result<std::vector<ChoiceItem>> ReadFrom(const fs::path& folder, std::string_view stem,
                                         size_t limit) {
  for (const char* ending : {".jsonl.zst", ".jsonl"}) {
    const fs::path path = folder / fmt::format("{}{}", stem, ending);
    if (fs::exists(path)) return ReadChoiceItems(path, limit);
  }
  return Fail(
      ErrorCode::kNotFound,
      fmt::format("no {}.jsonl.zst and no {}.jsonl there: give the folder with --data", stem, stem),
      folder.string());
}

void Make(const TaskEntry& entry, const TaskOptions& options, Task& task) {
  const size_t count = options.limit == 0 ? kMadeItems : options.limit;
  if (entry.make != nullptr) {
    task.items = MakeItems(entry.make, count, options.seed);
    task.examples = MakeItems(entry.make, kMadeItems, options.seed + 1);
  } else if (entry.make_exact != nullptr) {
    Random random(options.seed);
    for (size_t i = 0; i < count; ++i) task.exact.push_back(entry.make_exact(random));
  } else {
    const auto questions = KoreanQuestions();
    const auto asked = questions.first(std::min(count, questions.size()));
    task.questions.assign(asked.begin(), asked.end());
  }
}

}  // namespace

std::vector<std::string> TasksOfGroup(std::string_view group) {
  std::vector<std::string> names;
  for (const TaskEntry& task : kTasks) {
    if (task.group == group) names.emplace_back(task.name);
  }
  return names;
}

Result<std::vector<std::string>> FindTasks(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    const std::string_view wanted = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    const size_t before = names.size();
    bool known = false;
    for (const TaskEntry& task : kTasks) {
      if (wanted.empty() || (task.name != wanted && task.group != wanted)) continue;
      known = true;
      if (std::ranges::find(names, task.name) == names.end()) names.emplace_back(task.name);
    }
    if (!known && names.size() == before) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("there is no task `{}`; there are {}", wanted, KnownNames()),
                  "--task");
    }
  }
  return names;
}

Result<Task> LoadTask(const std::string& name, const TaskOptions& options) {
  const auto* entry = std::ranges::find(kTasks, name, &TaskEntry::name);
  Task task;
  task.name = name;
  task.group = entry->group;
  if (entry->file.empty()) {
    Make(*entry, options, task);
    return task;
  }
  JIKJI_ASSIGN(task.items, ReadFrom(options.data, entry->file, options.limit));
  if (options.shots == 0) return task;
  const std::string_view file = entry->examples.empty() ? entry->file : entry->examples;
  JIKJI_ASSIGN(task.examples, ReadFrom(options.data, file, 0));
  if (task.examples.size() <= options.shots) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} has {} examples, too few for {} before each item", name,
                            task.examples.size(), options.shots),
                "--shots");
  }
  return task;
}

}  // namespace jikji::measure
