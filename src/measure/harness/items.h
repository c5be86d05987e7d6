// Items of a task, and the file they are read from: JSON lines {"ctx", "choices", "gold"}, plain or
// `.zst`.
//
// A line that is not such an object, or whose fields have the wrong type, is an error that names
// the line; other fields are ignored. Non-goals: prompts made from raw fields of a data set (the
// files hold the harness's own prompts).
#ifndef JIKJI_MEASURE_HARNESS_ITEMS_H_
#define JIKJI_MEASURE_HARNESS_ITEMS_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji::measure {

// Of the choices, which goes on from the context?
struct ChoiceItem {
  std::string context;
  std::vector<std::string> choices;  // at least 2, none empty
  size_t gold = 0;                   // the right one

  bool operator==(const ChoiceItem&) const = default;
};

// What comes after the context, word for word?
struct ExactItem {
  std::string context;
  std::string answer;
};

struct ChatMessage {
  std::string role, content;
};

// What is answered to these messages?
struct ReferenceItem {
  std::vector<ChatMessage> messages;  // the last is not the assistant's
  std::string answer;
  std::string place = {};  // in its file, for errors
};

// A line of such a file. `where` names it in errors.
Result<ChoiceItem> ParseChoiceItem(std::string_view line, std::string_view where);

// All of them, or the first `limit` where that is not 0. Empty lines are passed over.
Result<std::vector<ChoiceItem>> ReadChoiceItems(const std::filesystem::path& path, size_t limit);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_HARNESS_ITEMS_H_
