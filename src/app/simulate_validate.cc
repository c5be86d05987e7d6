#include "app/simulate_validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <utility>
#include <vector>

#include "app/console.h"
#include "twin/archive.h"
#include "twin/validate.h"

namespace jikji {
namespace {

// The engines of data/engines.toml, by the names of the file of points.
constexpr std::pair<const char*, const char*> kEngines[] = {
    {"gpt-oss-120b", "h200_sxm"},  {"gpt-oss-120b", "b200_sxm"}, {"Llama-3.1-70B", "h200_sxm"},
    {"Llama-3.1-70B", "b200_sxm"}, {"DeepSeek-R1", "h200_sxm"},  {"DeepSeek-R1", "b200_sxm"}};

Result<boost::json::object> Serving(const std::string& path, bool json) {
  JIKJI_ASSIGN(const std::string text, twin::ReadData(path));
  JIKJI_ASSIGN(const std::vector<twin::SiliconPoint> points, twin::ParseSiliconPoints(text, path));
  Progress progress(std::string(Say("fitting", "맞추는 중")));
  JIKJI_ASSIGN(const twin::ServingErrors errors,
               twin::ValidateServing(points, [&](double share) { progress.Show(share); }));
  if (!json) {
    fmt::print(fmt::runtime(Say("{} serving points of {} configurations; median absolute error",
                                "서빙 측정 {}개, 구성 {}개. 절대 오차의 중앙값")),
               errors.points, errors.configurations);
    fmt::print("\n{:<44}{:>8.1f} %\n{:<44}{:>8.1f} %\n{:<44}{:>8.1f} %\n{:<44}{:>8.1f} %\n",
               "time per output token, configuration held out", errors.tpot_configuration * 100,
               "time to first token, configuration held out", errors.ttft_configuration * 100,
               "time per output token, point held out", errors.tpot_point * 100,
               "time to first token, point held out", errors.ttft_point * 100);
  }
  boost::json::array engines;
  for (const auto& [model, system] : kEngines) {
    const auto fitted = twin::FitConfiguration(points, model, system);
    if (!fitted) continue;
    const twin::StepModel& step = fitted->step;
    if (!json) {
      fmt::print(
          "{} {}: {:g} GPUs, {} points, {:.1f} %: base {:.3f} ms, sequence {:.2f} us, "
          "context {:.3f} ns, prompt {:.2f} us\n",
          model, system, fitted->gpus, fitted->points, fitted->error * 100, step.base_s * 1e3,
          step.sequence_s * 1e6, step.context_s * 1e9, step.prompt_s * 1e6);
    }
    engines.push_back({{"model", model},
                       {"system", system},
                       {"configuration", fitted->configuration},
                       {"gpus", fitted->gpus},
                       {"points", fitted->points},
                       {"median_error", fitted->error},
                       {"base_s", step.base_s},
                       {"sequence_s", step.sequence_s},
                       {"context_s", step.context_s},
                       {"prompt_s", step.prompt_s}});
  }
  return boost::json::object{{"points", errors.points},
                             {"configurations", errors.configurations},
                             {"tpot_configuration", errors.tpot_configuration},
                             {"ttft_configuration", errors.ttft_configuration},
                             {"tpot_point", errors.tpot_point},
                             {"ttft_point", errors.ttft_point},
                             {"engines", std::move(engines)}};
}

Result<boost::json::array> PowerTables(const std::string& folder, bool json) {
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    if (entry.path().filename().string().find("_perf.csv") != std::string::npos) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  if (files.empty()) {
    return Fail(ErrorCode::kNotFound, "holds no file *_perf.csv or *_perf.csv.zst", folder);
  }
  boost::json::array tables;
  size_t done = 0;
  Progress progress(std::string(Say("power tables", "전력 표")));
  for (const std::filesystem::path& file : files) {
    JIKJI_ASSIGN(const std::string text, twin::ReadData(file));
    JIKJI_ASSIGN(const std::vector<twin::PowerRow> rows, twin::ParsePowerRows(text, file.string()));
    const twin::PowerErrors errors = twin::ValidatePower(rows);
    progress.Show(static_cast<double>(++done) / static_cast<double>(files.size()));
    const std::string name = file.filename().string();
    if (!json) {
      fmt::print("{:<66} {:>6} rows held out, {:>5.1f} %\n", name.substr(0, name.find("_perf")),
                 errors.held_out, errors.watts * 100);
    }
    tables.push_back({{"file", name},
                      {"rows", errors.rows},
                      {"held_out", errors.held_out},
                      {"watts", errors.watts}});
  }
  return tables;
}

}  // namespace

Result<> ValidateTwin(const std::string& points, const std::string& power, bool json) {
  if (points.empty() && power.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "name what was measured: --validate-points FILE, --validate-power FOLDER, or both",
                "--validate");
  }
  boost::json::object report;
  if (!points.empty()) {
    JIKJI_ASSIGN(report["serving"], Serving(points, json));
  }
  if (!power.empty()) {
    JIKJI_ASSIGN(report["power"], PowerTables(power, json));
  }
  if (json) fmt::print("{}\n", boost::json::serialize(report));
  return {};
}

}  // namespace jikji
