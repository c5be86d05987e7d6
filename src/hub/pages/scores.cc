#include "hub/pages/scores.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "base/html.h"
#include "base/json.h"

namespace jikji::hub {
namespace {

namespace json = boost::json;

constexpr size_t kMaxRows = 200;

std::string NumberText(const json::object& of, std::string_view name) {
  const json::value* value = of.if_contains(name);
  if (value == nullptr || !value->is_number()) return "–";
  return fmt::format("{:.3f}", value->to_number<double>());
}

std::string Row(std::string_view name, const std::string& value, const std::string& interval,
                const std::string& items) {
  return fmt::format("<tr><td>{}</td><td>{}</td><td class=\"muted\">{}</td><td>{}</td></tr>\n",
                     EscapeHtml(name), value, interval, items);
}

const json::object* ObjectIn(const json::object& of, std::string_view name) {
  const json::value* value = of.if_contains(name);
  return value != nullptr && value->is_object() ? &value->as_object() : nullptr;
}

}  // namespace

// A repository is anybody's to write: whatever is not as expected is left out.
std::string ScoresTable(std::string_view report, const ScoreWords& words) {
  const auto parsed = ParseJson(report, kReportFile, {.max_bytes = kMaxReportBytes});
  if (!parsed || !parsed->is_object()) return {};
  const json::value* models = parsed->as_object().if_contains("models");
  if (models == nullptr || !models->is_array() || models->as_array().empty() ||
      !models->as_array().front().is_object()) {
    return {};
  }
  const json::object& model = models->as_array().front().as_object();
  std::string rows;
  size_t count = 0;
  if (const json::object* scores = ObjectIn(model, "scores")) {
    for (const auto& [name, value] : *scores) {
      if (!value.is_object() || ++count > kMaxRows) continue;
      const json::object& score = value.as_object();
      const json::value* items = score.if_contains("items");
      rows += Row(name, NumberText(score, "value"),
                  NumberText(score, "low") + " – " + NumberText(score, "high"),
                  items != nullptr && items->is_int64() ? std::to_string(items->as_int64()) : "–");
    }
  }
  if (const json::object* text = ObjectIn(model, "text")) {
    rows += Row(words.perplexity, NumberText(*text, "perplexity"),
                "± " + NumberText(*text, "standard_error"), "–");
  }
  if (rows.empty()) return {};
  return fmt::format("<table>\n<tr><th>{}</th><th>{}</th><th>{}</th><th>{}</th></tr>\n{}</table>\n",
                     words.task, words.score, words.interval, words.items, rows);
}

}  // namespace jikji::hub
