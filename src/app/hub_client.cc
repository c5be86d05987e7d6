// `jikji hub pull`, `push` and `verify`.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>

#include "app/command.h"
#include "app/console.h"
#include "app/hub_commands.h"
#include "app/hub_remote.h"
#include "hub/client/cache.h"
#include "hub/client/pull.h"
#include "hub/client/push.h"
#include "hub/client/share.h"
#include "hub/names.h"

namespace jikji {
namespace {

struct PullSettings {
  HubRemote remote;
  std::string repository;
  std::string revision = "main";
  std::string cache;
  int64_t connections = 4;
  std::string peers;
  std::string share;
  int64_t stay = 10;

  void AddTo(Settings& settings) {
    settings.AddPositional("MODEL", &repository, {"OWNER/NAME", "OWNER/NAME"});
    remote.AddTo(settings);
    settings.Add("revision", &revision, {"Branch, tag or commit", "브랜치, 태그 또는 커밋"});
    settings.Add("cache", &cache,
                 {"Cache of Hugging Face's clients; else HF_HUB_CACHE, HF_HOME/hub",
                  "Hugging Face 클라이언트의 캐시. 없으면 HF_HUB_CACHE, HF_HOME/hub"});
    settings.Add("connections", &connections, {"Connections at once", "동시 연결 수"}, 1, 64);
    settings.Add("peers", &peers,
                 {"HOST:PORT,... of others that pull the same: pieces come from them",
                  "같은 모델을 내려받는 다른 노드의 HOST:PORT,... 조각을 서로 주고받음"});
    settings.Add("share", &share,
                 {"HOST:PORT, as the others name this one, to serve them what is here",
                  "다른 노드가 부르는 이 노드의 HOST:PORT. 받은 조각을 내줌"});
    settings.Add("stay", &stay,
                 {"With --share: seconds without a request after which it ends",
                  "--share와 함께: 요청이 없으면 끝낼 때까지의 초"},
                 0, 86400);
  }
};

std::vector<std::string> Split(const std::string& list) {
  std::vector<std::string> out;
  std::istringstream parts(list);
  for (std::string part; std::getline(parts, part, ',');) {
    if (!part.empty()) out.push_back(part);
  }
  return out;
}

std::filesystem::path CacheOf(const std::string& given) {
  return given.empty() ? hub::UsualCache() : std::filesystem::path(given);
}

Result<> RunPull(PullSettings& settings) {
  JIKJI_RETURN_IF_ERROR(hub::CheckRepositoryName(settings.repository));
  JIKJI_ASSIGN(std::string url, settings.remote.Url());
  hub::Remote remote(std::move(url), settings.remote.Token());
  Progress progress(std::string(Say("pulling", "내려받는 중")));
  hub::PullOptions options;
  options.repository = settings.repository;
  options.revision = settings.revision;
  options.cache = CacheOf(settings.cache);
  options.connections = static_cast<size_t>(settings.connections);
  options.peers = Split(settings.peers);
  options.self = settings.share;
  std::unique_ptr<hub::PieceShare> share;
  if (!settings.share.empty()) {
    JIKJI_ASSIGN(share, hub::PieceShare::Start(settings.share));
    options.share = share.get();
  }
  options.progress = [&](uint64_t done, uint64_t total) {
    progress.Show(total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total));
  };
  const auto start = std::chrono::steady_clock::now();
  JIKJI_ASSIGN(const hub::PullReport report, hub::Pull(remote, options));
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  fmt::print(fmt::runtime(Say("{}\n{} files, {:.1f} MB, {:.1f} MB of them fetched in {:.2f} s\n",
                              "{}\n파일 {}개, {:.1f} MB 중 {:.1f} MB를 {:.2f}초에 내려받음\n")),
             report.snapshot.string(), report.files, static_cast<double>(report.bytes) / 1e6,
             static_cast<double>(report.fetched_bytes) / 1e6, taken.count());
  if (!options.peers.empty()) {
    fmt::print(
        fmt::runtime(Say("{:.1f} MB of them from peers\n", "그중 {:.1f} MB는 다른 노드에서\n")),
        static_cast<double>(report.peer_bytes) / 1e6);
  }
  if (share == nullptr) return {};
  std::fflush(stdout);
  share->WaitUntilQuiet(std::chrono::seconds(settings.stay));
  fmt::print(fmt::runtime(Say("{:.1f} MB served to peers\n", "다른 노드에 {:.1f} MB 내줌\n")),
             static_cast<double>(share->served_bytes()) / 1e6);
  return {};
}

struct PushSettings {
  HubRemote remote;
  std::string repository;
  std::string folder;
  std::string branch = "main";
  std::string message = "upload with jikji";
  bool is_private = false;
  std::vector<std::string> exclude;

  void AddTo(Settings& settings) {
    settings.AddPositional("MODEL", &repository, {"OWNER/NAME", "OWNER/NAME"});
    settings.AddPositional("DIR", &folder, {"Folder to publish", "올릴 폴더"});
    remote.AddTo(settings);
    settings.Add("branch", &branch, {"Branch; made where it is absent", "브랜치. 없으면 만듦"});
    settings.Add("message", &message, {"What the commit says", "커밋 메시지"});
    settings.Add("private", &is_private,
                 {"A repository that is made is private", "새로 만드는 저장소를 비공개로"});
    settings.Add("exclude", &exclude,
                 {"Files that stay behind, as *.log; may be given again",
                  "올리지 않을 파일(예: *.log). 여러 번 쓸 수 있음"});
  }
};

Result<> RunPush(PushSettings& settings) {
  JIKJI_RETURN_IF_ERROR(hub::CheckRepositoryName(settings.repository));
  JIKJI_ASSIGN(std::string url, settings.remote.Url());
  hub::Remote remote(std::move(url), settings.remote.Token());
  JIKJI_ASSIGN(const hub::PushReport report,
               hub::Push(remote, {settings.repository, settings.folder, settings.branch,
                                  settings.message, settings.is_private, settings.exclude}));
  fmt::print(fmt::runtime(Say("{}  {} of {} files changed, {:.1f} MB sent\n",
                              "{}  파일 {}/{}개 바뀜, {:.1f} MB 보냄\n")),
             report.commit, report.changed, report.files,
             static_cast<double>(report.sent_bytes) / 1e6);
  return {};
}

struct VerifySettings {
  std::string repository;
  std::string cache;

  void AddTo(Settings& settings) {
    settings.AddPositional("MODEL", &repository, {"OWNER/NAME", "OWNER/NAME"});
    settings.Add("cache", &cache,
                 {"Cache of Hugging Face's clients; else HF_HUB_CACHE, HF_HOME/hub",
                  "Hugging Face 클라이언트의 캐시. 없으면 HF_HUB_CACHE, HF_HOME/hub"});
  }
};

Result<> RunVerify(VerifySettings& settings) {
  JIKJI_RETURN_IF_ERROR(hub::CheckRepositoryName(settings.repository));
  const hub::CacheFolder folder(CacheOf(settings.cache), settings.repository);
  JIKJI_ASSIGN(const hub::CacheReport report, hub::VerifyCache(folder));
  for (const auto& blob : report.damaged) {
    fmt::print("{}: {}\n", Say("damaged", "손상됨"), blob.string());
  }
  fmt::print(
      fmt::runtime(Say("{} blobs, {:.1f} MB, {} damaged\n", "블롭 {}개, {:.1f} MB, 손상 {}개\n")),
      report.blobs, static_cast<double>(report.bytes) / 1e6, report.damaged.size());
  if (report.damaged.empty()) return {};
  return Fail(ErrorCode::kMalformed,
              std::string(Say("blobs are not what their names say: remove them and pull again",
                              "이름과 다른 블롭이 있습니다. 지우고 다시 내려받으세요")),
              folder.root.string());
}

}  // namespace

void AddHubClientCommands(CommandGroup& group) {
  group.Add("pull",
            Say("Download a model into the cache that transformers reads",
                "transformers가 읽는 캐시로 모델을 내려받습니다"),
            &RunPull);
  group.Add("push", Say("Publish a folder", "폴더를 올립니다"), &RunPush);
  group.Add("verify",
            Say("Hash what was downloaded and compare", "내려받은 것을 해시해 확인합니다"),
            &RunVerify);
}

}  // namespace jikji
