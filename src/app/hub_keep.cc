// `jikji hub gc`, `account` and `quota`: on the hub's own folder, beside a server that runs.
#include <fmt/format.h>

#include "app/command.h"
#include "app/console.h"
#include "app/hub_commands.h"
#include "app/hub_root.h"
#include "hub/accounts.h"
#include "hub/blobs.h"
#include "hub/hub.h"

namespace jikji {
namespace {

Result<> Collect(HubRoot& settings) {
  JIKJI_ASSIGN(const auto hub, settings.Open());
  JIKJI_ASSIGN(const hub::Collected collected, hub::CollectGarbage(*hub));
  fmt::print(fmt::runtime(Say("{} blobs, {:.1f} MB removed; {} trees, {} abandoned uploads\n",
                              "블롭 {}개, {:.1f} MB 지움. 트리 {}개, 끝나지 않은 업로드 {}개\n")),
             collected.blobs, static_cast<double>(collected.bytes) / 1e6, collected.trees,
             collected.abandoned);
  return {};
}

struct AccountSettings {
  HubRoot hub;
  std::string action;
  std::string name;
  std::string role = "write";
  std::vector<std::string> owners;

  void AddTo(Settings& settings) {
    settings.AddPositional("ACTION", &action, {"add, remove or list", "add, remove, list 중 하나"});
    settings.AddPositional("NAME", &name, {"Name of the account", "계정 이름"});
    hub.AddTo(settings);
    settings.AddChoice("role", &role, {"What its token may do", "토큰의 권한"},
                       {"read", "write", "admin"});
    settings.Add("owner", &owners,
                 {"An organisation whose repositories are its own too; may be repeated",
                  "저장소를 함께 쓰는 조직. 여러 번 쓸 수 있음"});
  }
};

Result<> ManageAccounts(AccountSettings& settings) {
  JIKJI_ASSIGN(const auto hub,
               settings.action == "add" ? settings.hub.OpenOrMake() : settings.hub.Open());
  JIKJI_ASSIGN(const hub::Hub::Session session, hub->Connect());
  if (settings.action == "add") {
    JIKJI_ASSIGN(const hub::AccountRole role, hub::ParseAccountRole(settings.role));
    JIKJI_ASSIGN(const std::string token,
                 hub::AddAccount(*session, {settings.name, role, settings.owners}));
    fmt::print(fmt::runtime(Say("{}\nIt is shown this once.\n", "{}\n지금 한 번만 보여 줍니다.\n")),
               token);
    return {};
  }
  if (settings.action == "remove") return hub::RemoveAccount(*session, settings.name);
  if (settings.action == "list") {
    JIKJI_ASSIGN(const auto accounts, hub::ListAccounts(*session));
    for (const hub::Account& account : accounts) {
      fmt::print("{}\t{}\t{}\n", account.name, hub::AccountRoleName(account.role),
                 fmt::join(account.owners, ","));
    }
    return {};
  }
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format(fmt::runtime(Say("`{}` is none of add, remove, list",
                                           "`{}`은(는) add, remove, list가 아닙니다")),
                          settings.action));
}

struct QuotaSettings {
  HubRoot hub;
  std::string owner;
  uint64_t bytes = 0;

  void AddTo(Settings& settings) {
    settings.AddPositional("OWNER", &owner, {"Whose repositories", "저장소 소유자"});
    hub.AddTo(settings);
    settings.AddBytes("bytes", &bytes,
                      {"What they may hold; 0: no limit", "저장할 수 있는 크기. 0이면 제한 없음"});
  }
};

Result<> LimitOwner(QuotaSettings& settings) {
  JIKJI_ASSIGN(const auto hub, settings.hub.Open());
  JIKJI_ASSIGN(const hub::Hub::Session session, hub->Connect());
  return hub::SetQuota(*session, settings.owner, settings.bytes);
}

}  // namespace

void AddHubKeepCommands(CommandGroup& group) {
  group.Add("gc", Say("Remove what nothing needs any more", "더는 쓰이지 않는 것을 지웁니다"),
            &Collect);
  group.Add(
      "account",
      Say("Make, list and remove accounts and their tokens", "계정과 토큰을 만들고 보고 지웁니다"),
      &ManageAccounts);
  group.Add("quota",
            Say("Limit what an owner may store", "소유자가 저장할 수 있는 크기를 정합니다"),
            &LimitOwner);
}

}  // namespace jikji
