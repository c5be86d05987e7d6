// How people log in to `serve`: the settings of an identity provider.
#ifndef JIKJI_APP_LOGIN_SETTINGS_H_
#define JIKJI_APP_LOGIN_SETTINGS_H_

#include <memory>
#include <string>

#include "app/settings.h"
#include "govern/login/login.h"

namespace jikji {

struct LoginSettings {
  std::string issuer;  // empty: nobody logs in
  std::string client_id;
  std::string client_secret_file;
  std::string redirect;
  int64_t session_minutes = 480;

  void AddTo(Settings& settings);
  // nullptr where no issuer is set; `governor` may be nullptr, and outlives what is made.
  Result<std::unique_ptr<login::Login>> Open(Governor* governor) const;
};

}  // namespace jikji

#endif  // JIKJI_APP_LOGIN_SETTINGS_H_
