// The hub over the network that a command speaks to.
#ifndef JIKJI_APP_HUB_REMOTE_H_
#define JIKJI_APP_HUB_REMOTE_H_

#include <cstdlib>
#include <string>

#include "app/console.h"
#include "app/settings.h"
#include "base/error.h"

namespace jikji {

struct HubRemote {
  std::string hub;
  std::string token;

  void AddTo(Settings& settings) {
    settings.Add("hub", &hub,
                 {"The hub, http://HOST:PORT; else HF_ENDPOINT",
                  "허브 주소, http://HOST:PORT. 없으면 HF_ENDPOINT"});
    settings.Add("token", &token, {"Token; else HF_TOKEN", "토큰. 없으면 HF_TOKEN"},
                 /*secret=*/true);
  }

  Result<std::string> Url() const {
    std::string url = hub.empty() ? Environment("HF_ENDPOINT") : hub;
    while (url.ends_with('/')) url.pop_back();
    if (!url.empty()) return url;
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("which hub? --hub http://HOST:PORT",
                                "어느 허브인가요? --hub http://HOST:PORT")),
                "--hub");
  }
  std::string Token() const { return token.empty() ? Environment("HF_TOKEN") : token; }

 private:
  static std::string Environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  }
};

}  // namespace jikji

#endif  // JIKJI_APP_HUB_REMOTE_H_
