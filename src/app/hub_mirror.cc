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
  bool deletions = false;
  int64_t connections = 4;

  void AddTo(Settings& settings) {
    settings.AddPositional("MODEL", &repository,
                           {"OWNER/NAME at the source; OWNER: all of theirs; left out: all",
                            "원본의 OWNER/NAME. OWNER만 쓰면 그 소유자의 모두, 비우면 모두"});
    remote.AddTo(settings);
    hub.AddTo(settings);
    settings.Add(
        "into", &into,
        {"OWNER/NAME in this hub, if it is another", "이 허브에서 다른 이름을 쓸 때 OWNER/NAME"});
    settings.Add("leave-out", &leave_out,
                 {"Files that this hub refuses stay behind", "이 허브가 거절하는 파일은 두고 옴"});
    settings.Add("delete", &deletions,
                 {"Branches and tags that the source deleted go here too",
                  "원본에서 지운 브랜치와 태그를 여기서도 지움"});
    settings.Add("connections", &connections, {"Connections at once", "동시 연결 수"}, 1, 64);
  }
};

// One model; what stands here of it is told.
Result<> MirrorOne(hub::Hub& hub, Database& database, hub::Remote& source,
                   const MirrorSettings& settings, const std::string& repository) {
  Progress progress(std::string(Say("mirroring", "미러링하는 중")));
  hub::MirrorOptions options;
  options.repository = repository;
  options.into = settings.into;
  options.leave_out = settings.leave_out;
  options.deletions = settings.deletions;
  options.connections = static_cast<size_t>(settings.connections);
  options.progress = [&](uint64_t done, uint64_t total) {
    progress.Show(total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total));
  };
  JIKJI_ASSIGN(const hub::MirrorReport report, hub::Mirror(hub, database, source, options));
  for (const hub::MirroredRef& ref : report.refs) {
    fmt::print("{}  {}  {}\n", ref.commit, ref.name,
               ref.changed ? Say("new", "새로 받음") : Say("as it was", "그대로"));
    for (const std::string& path : ref.left_out) {
      fmt::print("  {}: {}\n", Say("left out", "두고 옴"), path);
    }
  }
  for (const hub::Ref& ref : report.deleted) {
    fmt::print("{}  {}  {}\n", ref.target, ref.name, Say("deleted", "지움"));
  }
  fmt::print(fmt::runtime(Say("{:.1f} MB fetched\n", "{:.1f} MB를 받음\n")),
             static_cast<double>(report.fetched_bytes) / 1e6);
  return {};
}

Result<> Run(MirrorSettings& settings) {
  JIKJI_ASSIGN(std::string url, settings.remote.Url());
  JIKJI_ASSIGN(const auto hub, settings.hub.OpenOrMake());
  JIKJI_ASSIGN(const hub::Hub::Session session, hub->Connect());
  hub::Remote source(std::move(url), settings.remote.Token());
  if (settings.repository.find('/') != std::string::npos) {
    return MirrorOne(*hub, *session, source, settings, settings.repository);
  }
  if (!settings.into.empty()) {
    return Fail(
        ErrorCode::kInvalidArgument,
        std::string(Say("another name is for one model", "다른 이름은 모델 하나에만 씁니다")),
        "--into");
  }
  JIKJI_ASSIGN(const auto models, source.Models(settings.repository));
  // One that cannot be mirrored does not hold up the others.
  std::string failed;
  for (const std::string& model : models) {
    fmt::print("{}\n", model);
    if (auto done = MirrorOne(*hub, *session, source, settings, model); !done) {
      fmt::print("  {}\n", done.error().ToString());
      failed += (failed.empty() ? "" : ", ") + model;
    }
  }
  if (failed.empty()) return {};
  return Fail(ErrorCode::kUnavailable,
              std::string(Say("not mirrored: ", "미러링하지 못함: ")) + failed, source.url());
}

}  // namespace

void AddHubMirrorCommand(CommandGroup& group) {
  group.Add("mirror",
            Say("Keep another hub's models here: branches, tags and commit ids",
                "다른 허브의 모델들을 브랜치, 태그, 커밋 ID까지 여기에 둡니다"),
            &Run);
}

}  // namespace jikji
