// What `jikji eval --json` measured of a model, as its page shows it.
#ifndef JIKJI_HUB_PAGES_SCORES_H_
#define JIKJI_HUB_PAGES_SCORES_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace jikji::hub {

// What a report is called in a repository.
inline constexpr const char* kReportFile = "jikji-eval.json";
inline constexpr uint64_t kMaxReportBytes = 16u << 20;

struct ScoreWords {
  std::string_view task, score, interval, items, perplexity;
};
// A table; empty where the text is no report.
std::string ScoresTable(std::string_view report, const ScoreWords& words);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_PAGES_SCORES_H_
