// People who log in: from a provider's word to a session of the user in the store.
//
// A user is a key whose secret nobody is given: each login makes a new one that ends by itself
// (and ends the session before), so that rights, budgets, limits, stops, revocation and the audit
// log hold for people exactly as for keys. A login's steps are bound to one browser by a cookie;
// what is sent to the provider is derived from it under the servers' pepper, so any server of the
// store may take the second step, and none keeps anything between the two.
// Thread-safe. Begin and Finish wait for the network and the store: not on a network thread.
#ifndef JIKJI_GOVERN_LOGIN_LOGIN_H_
#define JIKJI_GOVERN_LOGIN_LOGIN_H_

#include <memory>
#include <string>
#include <string_view>

#include "base/workers.h"
#include "govern/governor.h"
#include "govern/login/provider.h"

namespace jikji::login {

// In which a person must come back from the provider.
inline constexpr int64_t kFlowSeconds = 600;
// Logins that wait for others.
inline constexpr size_t kMaxWaiting = 64;

class Login {
 public:
  // `governor` outlives this. `session_seconds`: how long a session lives.
  static Result<std::unique_ptr<Login>> Create(Governor& governor, ProviderOptions provider,
                                               int64_t session_seconds);

  struct Begun {
    std::string url;     // of the provider: where to send the browser
    std::string cookie;  // to come back with; a secret of the browser's
  };
  Result<Begun> Begin();

  struct Returned {
    std::string cookie, state, code, peer;
  };
  // The session's secret, to be used as a key. kPermissionDenied: the login did not begin in this
  // browser, took too long, the provider does not vouch for it, or the person is no user here.
  Result<std::string> Finish(const Returned& returned);

  // Ends the session of a user's key.
  Result<> End(const ApiKey& key);

  // Where what waits for the provider is done, so that nothing else waits for it.
  Workers& workers() { return workers_; }
  int64_t session_seconds() const { return session_seconds_; }
  // Whether browsers reach us by https: then cookies never travel without.
  bool secure() const { return provider_.redirect().starts_with("https://"); }

 private:
  Login(Governor& governor, Provider provider, int64_t session_seconds)
      : governor_(governor),
        provider_(std::move(provider)),
        session_seconds_(session_seconds),
        workers_(1, kMaxWaiting) {}
  Flow FlowOf(std::string_view cookie) const;
  Result<std::string> Admit(const Returned& returned);

  Governor& governor_;
  Provider provider_;
  const int64_t session_seconds_;
  Workers workers_;  // the last member: what it runs uses the others
};

}  // namespace jikji::login

#endif  // JIKJI_GOVERN_LOGIN_LOGIN_H_
