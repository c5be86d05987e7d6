// The settings by which a node makes itself known to routers.
#ifndef JIKJI_APP_MEMBERSHIP_REGISTRATION_SETTINGS_H_
#define JIKJI_APP_MEMBERSHIP_REGISTRATION_SETTINGS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/listen_settings.h"
#include "app/membership/registration.h"
#include "app/settings.h"

namespace jikji {

struct RegistrationSettings {
  std::vector<std::string> etcd;
  std::string prefix = kNodePrefix;
  std::string advertise;
  int64_t lease_seconds = 10;

  void AddTo(Settings& settings);

  // nullptr where no etcd is named. `port`: the one that it listens on.
  Result<std::unique_ptr<Registration>> Start(const ListenSettings& listen, uint16_t port) const;
};

}  // namespace jikji

#endif  // JIKJI_APP_MEMBERSHIP_REGISTRATION_SETTINGS_H_
