// `jikji plan`: from megawatts, chips, models and a budget to racks, tokens, users and won.
#include <fmt/format.h>

#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/fleet_data.h"
#include "app/plan_report.h"
#include "base/file.h"

namespace jikji {
namespace {

struct Options {
  std::string site;
  std::string chips;
  std::string tariff;
  std::string show;
  std::string html;
  bool json = false;

  void AddTo(Settings& settings) {
    settings.AddPositional("SITE", &site,
                           {"TOML file of the site; nothing: the example of 250 MW",
                            "사이트를 적은 TOML 파일. 없으면 250 MW 예제"});
    settings.Add(
        "chips", &chips,
        {"TOML file of chips, instead of the built-in one", "내장 칩 자료 대신 쓸 TOML 파일"});
    settings.Add("tariff", &tariff,
                 {"TOML file of tariffs, instead of the built-in one",
                  "내장 전기 요금표 대신 쓸 TOML 파일"});
    settings.AddChoice("show", &show, {"Print a built-in file to edit", "고쳐 쓸 내장 파일을 출력"},
                       {"", "site", "chips", "tariff"});
    settings.Add("html", &html,
                 {"Write a page with plots to this file", "그림이 있는 페이지를 이 파일에 씀"});
    settings.Add("json", &json, {"Print JSON", "JSON으로 출력"});
  }
};

Result<> Plan(Options& options) {
  if (!options.show.empty()) {
    JIKJI_ASSIGN(const DataText data, ReadFleetData({}, options.show + ".toml"));
    fmt::print("{}", data.text);
    return {};
  }
  JIKJI_ASSIGN(const FleetInput input, ReadFleetInput(options.site, options.chips, options.tariff));
  JIKJI_ASSIGN(const fleet::SitePlan plan, PlanSite(input.site, input.catalog, input.tariff));
  JIKJI_ASSIGN(const std::vector<fleet::Sensitivity> sensitivity,
               PlanSensitivity(input.site, input.catalog, input.tariff));
  if (!options.html.empty()) {
    JIKJI_RETURN_IF_ERROR(WriteFileAtomic(options.html, PlanPage(plan, sensitivity)));
  }
  fmt::print("{}", options.json ? boost::json::serialize(PlanJson(plan, sensitivity)) + "\n"
                                : PlanText(plan, sensitivity));
  return {};
}

}  // namespace

void AddPlanCommand(Program& program) {
  program.Add("plan",
              Say("Plan a site: racks, tokens, users and won from megawatts and a budget",
                  "사이트를 계획합니다: 전력과 예산으로 랙, 토큰, 이용자, 비용을 셈"),
              &Plan);
}

}  // namespace jikji
