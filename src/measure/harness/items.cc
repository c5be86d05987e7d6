#include "measure/harness/items.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/json.h"
#include "base/line_reader.h"

namespace jikji::measure {
namespace {

namespace json = boost::json;

// A line is one question with its answers.
constexpr JsonLimits kLineLimits = {.max_depth = 8, .max_bytes = 1u << 20};

std::unexpected<Error> Bad(std::string_view why, std::string_view where) {
  return Fail(ErrorCode::kMalformed, std::string(why), std::string(where));
}

}  // namespace

Result<ChoiceItem> ParseChoiceItem(std::string_view line, std::string_view where) {
  JIKJI_ASSIGN(const json::value value, ParseJson(line, where, kLineLimits));
  if (!value.is_object()) return Bad("an item must be a JSON object", where);
  const json::object& object = value.get_object();
  JIKJI_ASSIGN(const auto context, OptionalString(object, "ctx", where));
  JIKJI_ASSIGN(const json::array* choices, OptionalArray(object, "choices", where));
  JIKJI_ASSIGN(const auto gold, OptionalInt(object, "gold", where));
  if (!context || choices == nullptr || !gold) {
    return Bad("an item has `ctx`, `choices` and `gold`", where);
  }
  ChoiceItem item;
  item.context = *context;
  for (const json::value& choice : *choices) {
    if (!choice.is_string() || choice.get_string().empty()) {
      return Bad("each of `choices` must be a text that is not empty", where);
    }
    item.choices.emplace_back(choice.get_string());
  }
  if (item.choices.size() < 2) return Bad("`choices` must be two at least", where);
  if (*gold < 0 || *gold >= static_cast<int64_t>(item.choices.size())) {
    return Bad(fmt::format("`gold` must be from 0 to {}", item.choices.size() - 1), where);
  }
  item.gold = static_cast<size_t>(*gold);
  return item;
}

Result<std::vector<ChoiceItem>> ReadChoiceItems(const std::filesystem::path& path, size_t limit) {
  JIKJI_ASSIGN(LineReader reader, LineReader::Open(path));
  std::vector<ChoiceItem> items;
  while (limit == 0 || items.size() < limit) {
    JIKJI_ASSIGN(const auto line, reader.Next());
    if (!line) break;
    if (line->empty()) continue;
    JIKJI_ASSIGN(ChoiceItem item,
                 ParseChoiceItem(*line, fmt::format("{}:{}", path.string(), reader.line())));
    items.push_back(std::move(item));
  }
  if (items.empty()) return Fail(ErrorCode::kMalformed, "the file has no items", path.string());
  return items;
}

}  // namespace jikji::measure
