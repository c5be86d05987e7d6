// `jikji hub mirror`: another hub's model kept in this one.
#include <fmt/format.h>

#include "app/command.h"
#include "app/hub_commands.h"
#include "app/hub_remote.h"
#include "app/hub_root.h"
#include "hub/mirror/mirror.h"

namespace jikji {
namespace {

struct MirrorSettings {
  HubRemote remote;
  HubRoot hub;
  std::string repository, into;
  bool leave_out = false;
  int64_t connections = 4;

  void AddTo(Settings& settings) {
    settings.AddPositional("MODEL", &repository, {"OWNER/NAME at the source", "원본의 OWNER/NAME"});
    remote.AddTo(settings);
    hub.AddTo(settings);
    settings.Add(
        "into", &into,
        {"OWNER/NAME in this hub, if it is another", "이 허브에서 다른 이름을 쓸 때 OWNER/NAME"});
    settings.Add("leave-out", &leave_out,
                 {"Files that this hub refuses stay behind", "이 허브가 거절하는 파일은 두고 옴"});
    settings.Add("connections", &connections, {"Connections at once", "동시 연결 수"}, 1, 64);
  }
};

Result<> Run(MirrorSettings& settings) {
  JIKJI_ASSIGN(std::string url, settings.remote.Url());
  JIKJI_ASSIGN(const auto hub, settings.hub.OpenOrMake());
  JIKJI_ASSIGN(const hub::Hub::Session session, hub->Connect());
  hub::Remote source(std::move(url), settings.remote.Token());
  Progress progress(std::string(Say("mirroring", "미러링하는 중")));
  hub::MirrorOptions options;
  options.repository = settings.repository;
  options.into = settings.into;
  options.leave_out = settings.leave_out;
  options.connections = static_cast<size_t>(settings.connections);
  options.progress = [&](uint64_t done, uint64_t total) {
    progress.Show(total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total));
  };
  JIKJI_ASSIGN(const hub::MirrorReport report, hub::Mirror(*hub, *session, source, options));
  for (const hub::MirroredRef& ref : report.refs) {
    fmt::print("{}  {}  {}\n", ref.commit, ref.name,
               ref.changed ? Say("new", "새로 받음") : Say("as it was", "그대로"));
    for (const std::string& path : ref.left_out) {
      fmt::print("  {}: {}\n", Say("left out", "두고 옴"), path);
    }
  }
  fmt::print(fmt::runtime(Say("{:.1f} MB fetched\n", "{:.1f} MB를 받음\n")),
             static_cast<double>(report.fetched_bytes) / 1e6);
  return {};
}

}  // namespace

void AddHubMirrorCommand(CommandGroup& group) {
  group.Add("mirror",
            Say("Keep another hub's model here: branches, tags and commit ids",
                "다른 허브의 모델을 브랜치, 태그, 커밋 ID까지 여기에 둡니다"),
            &Run);
}

}  // namespace jikji
