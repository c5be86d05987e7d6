// A hub over HTTP: the surface that Hugging Face's clients, git-lfs' batch API, llama.cpp and
// browsers speak, as a net::Handler.
//
// Contract: docs/hub.md lists the routes. Answers that need the store are made on workers, bodies
// of blobs go from and to files without being held in memory. Nothing tells of Xet, so clients take
// plain HTTP. Non-goals: TLS, Xet, git's own protocol.
#ifndef JIKJI_HUB_HTTP_SITE_H_
#define JIKJI_HUB_HTTP_SITE_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "hub/accounts.h"
#include "hub/hub.h"
#include "net/http.h"
#include "net/server.h"

namespace jikji::hub {

// Who sent a request, by its token, which may be empty. Thread-safe.
using Identify =
    std::function<Result<Account>(const net::Request& request, std::string_view token)>;

// A change of the hub, once it is made.
struct Act {
  std::string event;       // "hub_commit.made": docs/audit.md lists them
  std::string actor;       // the account's `actor`, else its name
  std::string repository;  // OWNER/NAME
  std::string detail;      // a JSON object
};
// Writes an act down. Thread-safe. While it fails, nothing more is changed.
using Record = std::function<Result<>(const Act& act)>;

struct SiteOptions {
  // `http://host:port` that clients reach this by, for the URLs they are told; empty: what they
  // wrote in Host.
  std::string public_url;
  size_t workers = 2;
  // nullptr: the hub's own accounts.
  Identify identify = nullptr;
  // nullptr: no record is kept.
  Record record = nullptr;
};

class Site {
 public:
  // The hub must outlive it.
  static std::unique_ptr<Site> Create(Hub& hub, SiteOptions options);
  virtual ~Site() = default;

  // Sets what the server needs to know of this: its sink of bodies, its errors, its limits.
  virtual void Configure(net::ServerOptions& options) = 0;
  virtual net::Handler handler() = 0;
  // Stops the workers; call it once the server is gone.
  virtual void Stop() = 0;
};

}  // namespace jikji::hub

#endif  // JIKJI_HUB_HTTP_SITE_H_
