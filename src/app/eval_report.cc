#include "app/eval_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/console.h"
#include "app/html_page.h"
#include "app/svg_plot.h"
#include "app/text_table.h"

namespace jikji {
namespace {

namespace json = boost::json;
using measure::Estimate;
using measure::Score;
using measure::TaskResult;
using measure::Verdict;

std::string Text(std::string_view english, std::string_view korean) {
  return std::string(Say(english, korean));
}

std::string Figure(double value) { return fmt::format("{:.4f}", value); }

std::string Range(const Estimate& estimate, bool sign = false) {
  return sign ? fmt::format("[{:+.4f}, {:+.4f}]", estimate.low, estimate.high)
              : fmt::format("[{:.4f}, {:.4f}]", estimate.low, estimate.high);
}

std::string Heading(const EvalReport& report) {
  std::string heading = report.models.front().name;
  if (report.models.size() > 1) heading += Text(" beside ", " 대 ") + report.models[1].name;
  return heading;
}

size_t Items(const Score& score) {
  size_t items = 0;
  for (const measure::Metric& metric : score.of) items += metric.items();
  return items;
}

const Score* Find(const std::vector<Score>& scores, const std::string& name) {
  const auto found = std::ranges::find(scores, name, &Score::name);
  return found == scores.end() ? nullptr : &*found;
}

// Of the first model less the second, where both have the score.
std::optional<Estimate> Difference(const EvalReport& report, const Score& score) {
  if (report.models.size() < 2) return std::nullopt;
  const Score* theirs = Find(report.models[1].scores, score.name);
  if (theirs == nullptr) return std::nullopt;
  return measure::Difference(score, *theirs, report.seed);
}

bool Differs(const Estimate& difference) { return difference.low > 0 || difference.high < 0; }

std::vector<std::string> Head(const EvalReport& report) {
  std::vector<std::string> head = {Text("score", "점수"), Text("items", "문항")};
  for (const ModelReport& model : report.models) {
    head.push_back(model.name);
    head.push_back(Text("95 %", "95 %"));
  }
  if (report.models.size() > 1) {
    head.push_back(Text("difference", "차이"));
    head.push_back(Text("95 %", "95 %"));
  }
  return head;
}

std::vector<std::vector<std::string>> Rows(const EvalReport& report) {
  std::vector<std::vector<std::string>> rows;
  for (const Score& score : report.models.front().scores) {
    std::vector<std::string> row = {score.name, std::to_string(Items(score))};
    for (const ModelReport& model : report.models) {
      const Score* found = Find(model.scores, score.name);
      row.push_back(found != nullptr ? Figure(found->estimate.value) : "");
      row.push_back(found != nullptr ? Range(found->estimate) : "");
    }
    if (const auto difference = Difference(report, score)) {
      row.push_back(fmt::format("{:+.4f}{}", difference->value, Differs(*difference) ? "*" : " "));
      row.push_back(Range(*difference, /*sign=*/true));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string VerdictText(const Verdict& verdict) {
  std::string text = measure::ToString(verdict.requirement) + ": ";
  if (!verdict.value) return text + Text("not measured", "재지 않음");
  text += Text("measured ", "측정값 ") + Figure(*verdict.value);
  if (!verdict.requirement.bound) {
    text += verdict.bound ? Text(", the other ", ", 견준 모델 ") + Figure(*verdict.bound)
                          : Text(", and no other model was measured (--against)",
                                 ", 견줄 모델이 없음(--against)");
  }
  return text;
}

std::string TextLine(const ModelReport& model) {
  return fmt::format(
      fmt::runtime(Say("{}: perplexity {:.4f} ± {:.4f}, over {} tokens in {} windows of {}\n",
                       "{}: 퍼플렉서티 {:.4f} ± {:.4f}, {}토큰, 창 {}개(창마다 {}토큰)\n")),
      model.name, model.text->perplexity.perplexity, model.text->perplexity.standard_error,
      model.text->perplexity.scored, model.text->perplexity.windows, model.text->window);
}

std::string Notes(const EvalReport& report) {
  std::string notes = Text("95 %: from 1000 drawings of the items (bootstrap)",
                           "95 %: 문항을 1000번 다시 뽑은 구간(부트스트랩)");
  if (report.shots > 0) {
    notes +=
        fmt::format(fmt::runtime(Say("; {} examples before each item", ". 문항마다 풀이 예 {}개")),
                    report.shots);
  }
  if (report.models.size() > 1) {
    notes += Text("; * the difference's interval leaves out 0", ". *: 차이의 구간에 0이 없음");
  }
  return notes;
}

json::object EstimateJson(const Estimate& estimate) {
  return {{"value", estimate.value}, {"low", estimate.low}, {"high", estimate.high}};
}

json::object TaskJson(const TaskResult& result) {
  json::array items;
  for (size_t i = 0; i < result.gold.size(); ++i) {
    json::array scores(result.loglikelihoods[i].begin(), result.loglikelihoods[i].end());
    items.push_back(json::object{{"gold", result.gold[i]}, {"loglikelihoods", std::move(scores)}});
  }
  for (const std::string& answer : result.answers) {
    items.push_back(json::object{{"answer", answer}});
  }
  return {{"name", result.name}, {"items", std::move(items)}};
}

json::object ModelJson(const ModelReport& model) {
  json::object scores;
  for (const Score& score : model.scores) {
    json::object one = EstimateJson(score.estimate);
    one["items"] = Items(score);
    scores[score.name] = std::move(one);
  }
  json::array tasks;
  for (const TaskResult& result : model.results) {
    tasks.push_back(TaskJson(result));
  }
  json::object out = {{"name", model.name}, {"scores", std::move(scores)}};
  if (model.text) {
    const measure::Perplexity& perplexity = model.text->perplexity;
    out["text"] = json::object{{"file", model.text->file},
                               {"tokens", model.text->tokens},
                               {"window", model.text->window},
                               {"windows", perplexity.windows},
                               {"scored", perplexity.scored},
                               {"perplexity", perplexity.perplexity},
                               {"standard_error", perplexity.standard_error}};
  }
  out["tasks"] = std::move(tasks);
  return out;
}

// The scores that are named alone, not `task.metric`; those where less is better apart, since they
// have a scale of their own.
std::string Plots(const EvalReport& report, bool lower_is_better) {
  std::vector<PlotEstimates> rows;
  for (const Score& score : report.models.front().scores) {
    if (score.lower_is_better != lower_is_better || score.name.contains('.')) continue;
    PlotEstimates row{.label = score.name, .estimates = {}};
    for (const ModelReport& model : report.models) {
      const Score* found = Find(model.scores, score.name);
      if (found == nullptr) continue;
      const Estimate& estimate = found->estimate;
      row.estimates.push_back({estimate.value, estimate.low, estimate.high});
    }
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return {};
  std::vector<std::string> labels;
  for (const ModelReport& model : report.models) labels.push_back(model.name);
  return EstimatePlot(rows, labels);
}

}  // namespace

std::string FailedRequirements(std::span<const Verdict> verdicts) {
  std::string failed;
  for (const Verdict& verdict : verdicts) {
    if (verdict.met) continue;
    failed += (failed.empty() ? "" : "; ") + VerdictText(verdict);
  }
  return failed;
}

std::string EvalText(const EvalReport& report) {
  std::string out;
  for (const ModelReport& model : report.models) {
    if (model.text) out += TextLine(model);
  }
  std::vector<std::vector<std::string>> rows = {Head(report)};
  for (auto& row : Rows(report)) rows.push_back(std::move(row));
  out += AlignedRows(rows) + Notes(report) + "\n";
  for (const Verdict& verdict : report.verdicts) {
    out += fmt::format("{} {}\n", verdict.met ? Say("met", "충족") : Say("NOT MET", "미달"),
                       VerdictText(verdict));
  }
  return out;
}

json::object EvalJson(const EvalReport& report) {
  json::array models;
  for (const ModelReport& model : report.models) models.push_back(ModelJson(model));
  json::object out = {
      {"shots", report.shots}, {"seed", report.seed}, {"models", std::move(models)}};
  if (report.models.size() > 1) {
    json::object differences;
    for (const Score& score : report.models.front().scores) {
      if (const auto difference = Difference(report, score)) {
        differences[score.name] = EstimateJson(*difference);
      }
    }
    out["differences"] = std::move(differences);
  }
  json::array requirements;
  for (const Verdict& verdict : report.verdicts) {
    json::object one = {{"requirement", measure::ToString(verdict.requirement)},
                        {"met", verdict.met}};
    if (verdict.value) one["value"] = *verdict.value;
    requirements.push_back(std::move(one));
  }
  out["requirements"] = std::move(requirements);
  return out;
}

std::string EvalPage(const EvalReport& report) {
  HtmlPage page(Text("Evaluation: ", "평가: ") + Heading(report));
  for (const ModelReport& model : report.models) {
    if (model.text) page.Paragraph(TextLine(model));
  }
  if (const std::string plot = Plots(report, false); !plot.empty()) {
    page.Figure(plot, Text("More is better; the line is the interval of 95 %",
                           "클수록 좋음. 선은 95 % 구간"));
  }
  if (const std::string plot = Plots(report, true); !plot.empty()) {
    page.Figure(plot, Text("Less is better; the line is the interval of 95 %",
                           "작을수록 좋음. 선은 95 % 구간"));
  }
  page.Heading(Text("Scores", "점수"));
  page.Table(Head(report), Rows(report));
  page.Paragraph(Notes(report));
  if (!report.verdicts.empty()) {
    page.Heading(Text("Requirements", "기준"));
    std::vector<std::vector<std::string>> rows;
    for (const Verdict& verdict : report.verdicts) {
      rows.push_back({VerdictText(verdict),
                      Text(verdict.met ? "met" : "not met", verdict.met ? "충족" : "미달")});
    }
    page.Table({}, rows);
  }
  return page.Finish();
}

}  // namespace jikji
