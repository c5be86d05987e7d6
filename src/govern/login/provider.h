// An identity provider that speaks OpenID Connect, and how to ask it: discovery, the URL to send a
// person to, and the code that comes back, exchanged for a checked ID token (authorization code
// flow with PKCE).
//
// Contract: all that is asked goes to https addresses, or to this machine itself; the provider's
// description must be of the very issuer that was set up. Descriptions and keys are kept for an
// hour; keys are asked for anew where a token names one that is not known, at most once in ten
// seconds. Thread-safe; calls wait for the network, for `kPatience` at most at each step.
#ifndef JIKJI_GOVERN_LOGIN_PROVIDER_H_
#define JIKJI_GOVERN_LOGIN_PROVIDER_H_

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "govern/clock.h"
#include "govern/login/id_token.h"
#include "net/client.h"

namespace jikji::login {

struct ProviderOptions {
  std::string issuer;         // as its tokens have it
  std::string client;         // our name there
  std::string client_secret;  // empty: PKCE alone
  std::string redirect;       // our /login/callback as browsers see it
  const Clock* clock = &SystemClock();
  std::function<Result<net::Response>(const net::ClientRequest& request)> fetch;  // for tests
};

// What binds the steps of one login to one browser.
struct Flow {
  std::string state, nonce, verifier;
};

class Provider {
 public:
  // kInvalidArgument: a setting is missing, or no address is https.
  static Result<Provider> Create(ProviderOptions options);
  Provider(Provider&& other) noexcept : options_(std::move(other.options_)) {}

  // Where to send the browser. kUnavailable: the provider does not answer as one.
  Result<std::string> AuthorizationUrl(const Flow& flow);
  // Who it is, by the `code` with which the browser came back.
  Result<Identity> Exchange(std::string_view code, const Flow& flow);

  const std::string& redirect() const { return options_.redirect; }

 private:
  struct Description {
    std::string authorization, token, keys;  // addresses
    int64_t read_at = 0;                     // steady microseconds
  };
  explicit Provider(ProviderOptions options) : options_(std::move(options)) {}
  Result<Description> Describe();
  Result<std::string> Ask(const net::ClientRequest& request, const char* what);
  Result<std::string> AskForToken(const Description& description, std::string_view code,
                                  const Flow& flow);
  Result<std::vector<JsonWebKey>> Keys(const Description& description, std::string_view token);

  const ProviderOptions options_;
  std::mutex mutex_;  // held while the provider is asked: one request for all who wait
  Description description_;
  std::vector<JsonWebKey> keys_;
  int64_t keys_read_at_ = 0;
};

// True for https, and for http to this machine.
bool IsSafeUrl(const std::string& url);

// `name=value&...`, percent-encoded.
std::string FormOf(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

}  // namespace jikji::login

#endif  // JIKJI_GOVERN_LOGIN_PROVIDER_H_
