// `jikji hub bundle export` and `import`: a revision in one signed file.
#include <fmt/format.h>

#include "app/command.h"
#include "app/hub_commands.h"
#include "app/hub_root.h"
#include "hub/bundle/bundle.h"

namespace jikji {
namespace {

struct ExportSettings {
  HubRoot hub;
  std::string repository, file, key, certificates;
  std::string revision = "main";

  void AddTo(Settings& settings) {
    settings.AddPositional("MODEL", &repository, {"OWNER/NAME", "OWNER/NAME"});
    settings.AddPositional("FILE", &file, {"The bundle to write", "만들 번들 파일"});
    hub.AddTo(settings);
    settings.Add("revision", &revision, {"Branch, tag or commit", "브랜치, 태그 또는 커밋"});
    settings.Add("key", &key, {"Private key (PEM)", "개인 키(PEM)"});
    settings.Add("certificates", &certificates,
                 {"The signer's certificate and its chain (PEM)", "서명자 인증서와 체인(PEM)"});
  }
};

Result<> Export(ExportSettings& settings) {
  if (settings.file.empty() || settings.key.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("usage: jikji hub bundle export MODEL FILE --root DIR --key KEY",
                                "사용법: jikji hub bundle export 모델 파일 --root 폴더 --key 키")));
  }
  JIKJI_ASSIGN(const auto hub, settings.hub.Open());
  JIKJI_ASSIGN(const hub::Hub::Session session, hub->Connect());
  JIKJI_ASSIGN(const hub::Repository repository,
               hub::FindRepository(*session, "model", settings.repository));
  JIKJI_ASSIGN(const hub::Commit commit,
               hub::ResolveRevision(*session, repository.id, settings.revision));
  JIKJI_ASSIGN(const hub::BundleHeader header,
               hub::ExportBundle(*hub, *session, repository, commit, settings.file,
                                 {settings.key, settings.certificates}));
  fmt::print(fmt::runtime(Say("{}: {}@{}, {} files\n", "{}: {}@{}, 파일 {}개\n")), settings.file,
             header.repository, header.commit.oid, header.files.size());
  return {};
}

struct ImportSettings {
  HubRoot hub;
  std::string file, key, roots;
  std::string branch = "main";

  void AddTo(Settings& settings) {
    settings.AddPositional("FILE", &file, {"The bundle", "번들 파일"});
    hub.AddTo(settings);
    settings.Add("branch", &branch, {"Branch that gets the commit", "커밋을 받을 브랜치"});
    settings.Add("key", &key, {"Public key (PEM)", "공개 키(PEM)"});
    settings.Add("roots", &roots,
                 {"Certificates that signers must lead to (PEM), in place of a key",
                  "키 대신, 서명자가 이어져야 하는 루트 인증서(PEM)"});
  }
};

Result<> Import(ImportSettings& settings) {
  if (settings.key.empty() == settings.roots.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("whom to trust? --key FILE or --roots FILE",
                                "누구를 믿을까요? --key FILE 또는 --roots FILE")));
  }
  JIKJI_ASSIGN(const auto hub, settings.hub.OpenOrMake());
  JIKJI_ASSIGN(const hub::Hub::Session session, hub->Connect());
  JIKJI_ASSIGN(const hub::BundleHeader header,
               hub::ImportBundle(*hub, *session, settings.file, {settings.key, settings.roots},
                                 settings.branch));
  fmt::print(fmt::runtime(Say("{}@{} on {}, {} files\n", "{}@{}, 브랜치 {}, 파일 {}개\n")),
             header.repository, header.commit.oid, settings.branch, header.files.size());
  return {};
}

}  // namespace

void AddHubBundleCommands(CommandGroup& group) {
  CommandGroup bundle =
      group.AddGroup("bundle", Say("Carry a revision across an air gap in one signed file",
                                   "서명한 파일 하나로 망을 건너 리비전을 옮깁니다"));
  bundle.Add("export", Say("Write a signed bundle", "서명한 번들을 만듭니다"), &Export);
  bundle.Add("import",
             Say("Check a bundle whole, then take it in", "번들을 모두 확인한 뒤 받아들입니다"),
             &Import);
}

}  // namespace jikji
