// `jikji hub lineage` and `sbom`: what a model was made from, and what it holds.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/command.h"
#include "app/hub_commands.h"
#include "app/hub_root.h"
#include "base/thread_pool.h"
#include "hub/bom/bom.h"
#include "hub/lineage/lineage.h"

namespace jikji {
namespace {

struct RevisionSettings {
  HubRoot hub;
  std::string repository;
  std::string revision = "main";

  void AddTo(Settings& settings) {
    settings.AddPositional("MODEL", &repository, {"OWNER/NAME", "OWNER/NAME"});
    hub.AddTo(settings);
    settings.Add("revision", &revision, {"Branch, tag or commit", "브랜치, 태그 또는 커밋"});
  }

  struct Found {
    hub::Repository repository;
    hub::Commit commit;
  };
  Result<Found> Find(Database& session) const {
    Found found;
    JIKJI_ASSIGN(found.repository, hub::FindRepository(session, "model", repository));
    JIKJI_ASSIGN(found.commit, hub::ResolveRevision(session, found.repository.id, revision));
    return found;
  }
};

struct LineageSettings {
  RevisionSettings model;
  bool json = false;
  int64_t threads = 0;

  void AddTo(Settings& settings) {
    model.AddTo(settings);
    settings.Add("json", &json, {"Print JSON", "JSON으로 출력"});
    settings.Add("threads", &threads, {"Threads; 0: one for each core", "스레드 수. 0: 코어마다"},
                 0, 1024);
  }
};

std::string_view Named(hub::Standing standing) {
  switch (standing) {
    case hub::Standing::kProved:
      return Say("proved", "증명");
    case hub::Standing::kConsistent:
      return Say("consistent", "부합");
    case hub::Standing::kClaimed:
      break;
  }
  return Say("claimed", "주장");
}

Result<> FindLineage(LineageSettings& settings) {
  JIKJI_ASSIGN(const auto hub, settings.model.hub.Open());
  JIKJI_ASSIGN(const hub::Hub::Session session, hub->Connect());
  JIKJI_ASSIGN(const auto found, settings.model.Find(*session));
  const auto& [repository, commit] = found;
  ThreadPool pool(settings.threads == 0 ? UsableCores() : static_cast<size_t>(settings.threads));
  JIKJI_ASSIGN(const auto lineage, hub::FindLineage(*hub, *session, repository, commit, pool));
  if (settings.json) {
    fmt::print("{}\n",
               boost::json::serialize(boost::json::object{{"model", repository.name},
                                                          {"commit", commit.oid},
                                                          {"ancestors", hub::JsonOf(lineage)}}));
    return {};
  }
  fmt::print("{} {}\n", repository.name, commit.oid.substr(0, 8));
  for (const hub::Ancestor& ancestor : lineage) {
    fmt::print("  {}  {}: {}\n", ancestor.base, Named(ancestor.standing),
               Say(ancestor.english, ancestor.korean));
  }
  if (lineage.empty()) {
    fmt::print("  {}\n", Say("it names no base", "바탕 모델이 적혀 있지 않습니다"));
  }
  return {};
}

struct BomSettings {
  RevisionSettings model;
  std::string format = "spdx";
  std::string url = "http://127.0.0.1:8070";

  void AddTo(Settings& settings) {
    model.AddTo(settings);
    settings.AddChoice("format", &format,
                       {"SPDX 3.0.1 or CycloneDX 1.6", "SPDX 3.0.1 또는 CycloneDX 1.6"},
                       {"spdx", "cyclonedx"});
    settings.Add(
        "url", &url,
        {"The hub's address as readers of the bill know it", "명세를 읽는 쪽이 아는 허브 주소"});
  }
};

Result<> PrintBom(BomSettings& settings) {
  JIKJI_ASSIGN(const auto hub, settings.model.hub.Open());
  JIKJI_ASSIGN(const hub::Hub::Session session, hub->Connect());
  JIKJI_ASSIGN(const auto found, settings.model.Find(*session));
  const auto& [repository, commit] = found;
  JIKJI_ASSIGN(const hub::BomSource source,
               hub::ReadBomSource(*hub, *session, repository, commit, settings.url));
  fmt::print("{}\n", boost::json::serialize(settings.format == "spdx" ? hub::SpdxOf(source)
                                                                      : hub::CycloneDxOf(source)));
  return {};
}

}  // namespace

void AddHubLineageCommands(CommandGroup& group) {
  group.Add("lineage",
            Say("Check by its weights what a model was made from",
                "모델이 무엇으로 만들어졌는지 가중치로 확인합니다"),
            &FindLineage);
  group.Add("sbom",
            Say("Print a bill of materials (SPDX, CycloneDX)",
                "자재 명세서(SPDX, CycloneDX)를 출력합니다"),
            &PrintBom);
}

}  // namespace jikji
