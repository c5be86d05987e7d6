// The HTTP API: OpenAI-compatible routes over one engine, as a net::Handler.
//
// Contract: nothing reaches the engine without an admission ticket (promise 2); every route but
// /health and the static pages asks for a key where keys are set; every answer carries
// X-Request-Id; every error body has `message`, `type`, `param` and `code`; the answer of a plain
// call is the sum of its stream (promise 5). docs/api.md lists routes and fields. Non-goals: TLS,
// sockets, limits of connections (net/); tenants and budgets (govern/).
//
// Lifetime: stop the net::Server before the engine, the issuer, the governor and the Service are
// destroyed.
#ifndef JIKJI_API_SERVICE_H_
#define JIKJI_API_SERVICE_H_

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/engine.h"
#include "engine/ticket.h"
#include "govern/guard/guard.h"
#include "net/http.h"

namespace jikji {

class Governor;
class GpuMetrics;
namespace login {
class Login;
}

struct ApiOptions {
  // What clients call the model in `model`; the first is the one answered with. Empty: the model's
  // own name.
  std::vector<std::string> model_names = {};
  // Any of these opens the guarded routes, as `Authorization: Bearer KEY`. Empty: no key is asked.
  std::vector<std::string> api_keys = {};
  // Origins that browsers may call from, `https://host:port`; "*" is any. Empty: none.
  std::vector<std::string> cors_origins = {};
  // Who may call, for what and for how much; nullptr: `api_keys` alone, and the issuer's tickets.
  Governor* governor = nullptr;
  // For people, by way of an identity provider; nullptr: keys alone. Needs `governor`.
  login::Login* login = nullptr;
  std::string version = {};                       // what GET /version says
  std::string model_digest = {};                  // "sha256:...", for receipts
  std::vector<std::string> adapter_digests = {};  // in order of the adapters' numbers
  // GET /health: a step that takes longer than this is a hung engine.
  std::chrono::milliseconds health_limit{30'000};
  // Of the GPU that the engine runs on, for GET /metrics; nullptr: there is none.
  std::shared_ptr<const GpuMetrics> gpu = nullptr;
  // Threads that parse, render and tokenise requests too long for a network thread.
  size_t workers = 1;
  // Screens prompts and answers; nullptr: nothing is screened.
  std::shared_ptr<const guard::Guard> guard = nullptr;
};

class Service {
 public:
  // Sets the engine's observer: call it before the first Submit. kInvalidArgument: an empty key or
  // model name.
  static Result<std::unique_ptr<Service>> Create(Engine& engine, TicketIssuer& issuer,
                                                 ApiOptions options);
  ~Service();

  // Serves `bytes` at `path` to anyone, without a key: the chat page and what it needs, never data.
  // Call it before the server starts.
  void AddStatic(std::string path, std::string content_type, std::string bytes);

  // Thread-safe; keeps what it needs alive, but for the engine and the issuer.
  net::Handler handler() const;

  // For ServerOptions: the body of a request whose key is nobody's is not read.
  std::function<bool(const net::Request&)> wants_body() const;

  // Of answers that are kept for `Idempotency-Key`.
  size_t kept_bytes() const;

  // For net::ServerOptions::error_body.
  static std::string ErrorBody(int status, std::string_view message);

 private:
  struct Core;
  explicit Service(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace jikji

#endif  // JIKJI_API_SERVICE_H_
