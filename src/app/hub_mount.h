// A hub behind the same address as the API: `jikji serve --hub DIR`.
//
// Contract: the API's own paths stay the API's; `/models`, `/sign-in`, `/sign-out`, `/api/...`,
// `/v2/...` and what lies below OWNER/NAME are the hub's. Who calls the hub is who calls the API:
// with a store, the key's role and organisation; with --api-key, whoever holds one is the hub's
// operator; else the hub's own accounts. With a store, what is changed through it is written down
// there as an act, and so reaches the audit log; while that fails, nothing is changed.
#ifndef JIKJI_APP_HUB_MOUNT_H_
#define JIKJI_APP_HUB_MOUNT_H_

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "hub/http/site.h"
#include "hub/hub.h"
#include "net/http.h"
#include "net/server.h"

namespace jikji {

class Governor;

bool IsHubPath(std::string_view path);

class HubMount {
 public:
  // `governor` may be nullptr, and outlives this.
  static Result<std::unique_ptr<HubMount>> Open(const std::filesystem::path& root,
                                                Governor* governor,
                                                const std::vector<std::string>& api_keys);

  // Says so where whoever reaches it may change everything.
  Result<> WarnIfOpen() const;

  // Sends each request to where it belongs.
  net::Handler Beside(net::Handler api) const;
  // The limits of the API stay those of its paths.
  void Configure(net::ServerOptions& options) const;

 private:
  HubMount() = default;
  bool own_accounts_ = false;
  std::unique_ptr<hub::Hub> hub_;
  std::unique_ptr<hub::Site> site_;
};

}  // namespace jikji

#endif  // JIKJI_APP_HUB_MOUNT_H_
