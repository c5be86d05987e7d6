#include "govern/compliance/duty.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/toml.h"
#include "govern/ledger/calendar.h"

namespace jikji::compliance {
namespace {

constexpr std::string_view kStates[] = {"met", "partly", "open"};

Result<std::string> Text(const toml::table& table, std::string_view key, const std::string& where) {
  const auto text = table[key].value<std::string>();
  if (text && !text->empty()) return *text;
  return Fail(ErrorCode::kInvalidArgument, fmt::format("a duty has a text `{}`", key), where);
}

Result<Duty> ReadDuty(const toml::table& table, const std::string& where) {
  Duty duty;
  const std::pair<const char*, std::string&> texts[] = {
      {"id", duty.id},           {"law", duty.law},   {"law_ko", duty.law_ko},
      {"article", duty.article}, {"text", duty.text}, {"text_ko", duty.text_ko}};
  for (const auto& [key, text] : texts) {
    JIKJI_ASSIGN(text, Text(table, key, where));
  }
  JIKJI_ASSIGN(const std::string from, Text(table, "from", where));
  JIKJI_ASSIGN(duty.from, ParseDay(from));
  const toml::array* facts = table["facts"].as_array();
  for (size_t i = 0; facts != nullptr && i < facts->size(); ++i) {
    const auto fact = (*facts)[i].value<std::string>();
    if (fact) duty.facts.push_back(*fact);
  }
  if (facts == nullptr || facts->empty() || duty.facts.size() != facts->size()) {
    return Fail(ErrorCode::kInvalidArgument, "a duty has a list of `facts`", where);
  }
  for (const auto& [key, value] : table) {
    constexpr std::string_view kKeys[] = {"id",   "law",     "law_ko", "article",
                                          "text", "text_ko", "from",   "facts"};
    if (std::ranges::find(kKeys, key.str()) == std::end(kKeys)) {
      return Fail(ErrorCode::kInvalidArgument, fmt::format("a duty has no key `{}`", key.str()),
                  where);
    }
  }
  return duty;
}

}  // namespace

std::string_view StateName(State state) { return kStates[static_cast<size_t>(state)]; }

Result<std::vector<Duty>> ReadDuties(std::string_view text, std::string_view where) {
  JIKJI_ASSIGN(const toml::table root, ParseToml(text, where));
  const toml::array* list = root["duty"].as_array();
  if (list == nullptr || root.size() != 1) {
    return Fail(ErrorCode::kInvalidArgument, "holds [[duty]] tables and nothing else",
                std::string(where));
  }
  std::vector<Duty> duties;
  std::set<std::string> ids;
  for (const toml::node& node : *list) {
    const std::string at = fmt::format("{}:{}", where, node.source().begin.line);
    const toml::table* table = node.as_table();
    if (table == nullptr) return Fail(ErrorCode::kInvalidArgument, "is no [[duty]] table", at);
    JIKJI_ASSIGN(Duty duty, ReadDuty(*table, at));
    if (!ids.insert(duty.id).second) {
      return Fail(ErrorCode::kInvalidArgument, fmt::format("`{}` is there twice", duty.id), at);
    }
    duties.push_back(std::move(duty));
  }
  return duties;
}

std::vector<Finding> Judge(const std::vector<Duty>& duties, const std::vector<Fact>& facts,
                           int64_t now) {
  std::vector<Finding> findings;
  for (const Duty& duty : duties) {
    Finding& finding = findings.emplace_back(Finding{duty, duty.from <= now, State::kMet, {}});
    for (const std::string& id : duty.facts) {
      const auto known = std::ranges::find(facts, id, &Fact::id);
      finding.facts.push_back(known == facts.end() ? Fact{id, State::kOpen, {}} : *known);
      finding.state = std::max(finding.state, finding.facts.back().state);
    }
  }
  return findings;
}

}  // namespace jikji::compliance
