// What an evaluation found, as text for the terminal, as JSON, and as a page.
#ifndef JIKJI_APP_EVAL_REPORT_H_
#define JIKJI_APP_EVAL_REPORT_H_

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "measure/harness/requirement.h"
#include "measure/harness/score_table.h"
#include "measure/perplexity.h"

namespace jikji {

struct TextFigures {
  std::string file;
  int64_t tokens = 0;
  int64_t window = 0;
  measure::Perplexity perplexity;
};

struct ModelReport {
  std::string name;
  std::optional<TextFigures> text;
  std::vector<measure::TaskResult> results;
  std::vector<measure::Score> scores;
};

struct EvalReport {
  int64_t shots = 0;
  uint64_t seed = 0;
  std::vector<ModelReport> models;  // one, or that and the one it is compared with
  std::vector<measure::Verdict> verdicts;
};

std::string EvalText(const EvalReport& report);
boost::json::object EvalJson(const EvalReport& report);
std::string EvalPage(const EvalReport& report);

// Each requirement that is not met, with what was measured; empty where all are.
std::string FailedRequirements(std::span<const measure::Verdict> verdicts);

}  // namespace jikji

#endif  // JIKJI_APP_EVAL_REPORT_H_
