// The hub on this machine that a command works on: its folder.
#ifndef JIKJI_APP_HUB_ROOT_H_
#define JIKJI_APP_HUB_ROOT_H_

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "app/console.h"
#include "app/settings.h"
#include "base/log.h"
#include "hub/accounts.h"
#include "hub/hub.h"

namespace jikji {

struct HubRoot {
  std::string root;

  void AddTo(Settings& settings) {
    settings.Add("root", &root, {"Folder of the hub", "허브 폴더"});
  }
  Result<std::unique_ptr<hub::Hub>> Open() const {
    std::error_code error;
    if (!root.empty() && !std::filesystem::is_directory(root, error)) {
      return Fail(ErrorCode::kNotFound,
                  std::string(Say("there is no such folder", "그런 폴더가 없습니다")), root);
    }
    return OpenOrMake();
  }
  Result<std::unique_ptr<hub::Hub>> OpenOrMake() const {
    if (!root.empty()) return hub::Hub::Open(root);
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("which folder? --root DIR", "어느 폴더인가요? --root DIR")),
                "--root");
  }
};

// A warning where a hub has no accounts, for one that more than this machine reaches.
inline Result<> WarnIfHubIsOpen(hub::Hub& hub) {
  JIKJI_ASSIGN(const hub::Hub::Session session, hub.Connect());
  JIKJI_ASSIGN(const auto accounts, hub::ListAccounts(*session));
  if (accounts.empty()) {
    Log(LogLevel::kWarning,
        Say("the hub has no accounts: whoever reaches this address may change everything",
            "허브에 계정이 없습니다. 이 주소에 닿는 누구나 모든 것을 바꿀 수 있습니다"));
  }
  return {};
}

}  // namespace jikji

#endif  // JIKJI_APP_HUB_ROOT_H_
