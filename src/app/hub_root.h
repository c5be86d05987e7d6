// The hub on this machine that a command works on: its folder.
#ifndef JIKJI_APP_HUB_ROOT_H_
#define JIKJI_APP_HUB_ROOT_H_

#include <memory>
#include <string>

#include "app/console.h"
#include "app/settings.h"
#include "hub/hub.h"

namespace jikji {

struct HubRoot {
  std::string root;

  void AddTo(Settings& settings) {
    settings.Add("root", &root, {"Folder of the hub", "허브 폴더"});
  }
  Result<std::unique_ptr<hub::Hub>> Open() const {
    if (!root.empty()) return hub::Hub::Open(root);
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("which folder? --root DIR", "어느 폴더인가요? --root DIR")),
                "--root");
  }
};

}  // namespace jikji

#endif  // JIKJI_APP_HUB_ROOT_H_
