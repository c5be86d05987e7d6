// A connected TCP socket of the client whose every wait is bounded, and where it leads; with TLS
// where the URL says https (tls.h).
//
// Internal to net/.
#ifndef JIKJI_NET_LINK_H_
#define JIKJI_NET_LINK_H_

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "net/tls.h"

namespace jikji::net {

class Cancellation;

struct Url {
  bool secure = false;  // https
  std::string host;     // without brackets
  std::string port;
  std::string authority;  // as given: the Host field
  std::string origin;     // scheme and authority: to whom a kept connection leads
  std::string target;
};

// "http://host:port/path?query", or https; the fragment is left out.
Result<Url> ParseUrl(const std::string& text);

// What bounds a wait, and what its errors name.
struct WaitLimits {
  std::chrono::milliseconds timeout{0};
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  const Cancellation* cancellation = nullptr;
  std::string where;
};

class Link {
 public:
  Link() = default;
  Link(Link&& other) noexcept : fd_(std::exchange(other.fd_, -1)), tls_(std::move(other.tls_)) {}
  Link& operator=(Link&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(tls_, other.tls_);
    return *this;
  }
  ~Link() { Reset(); }

  // To the first of the host's addresses that takes it. kPermissionDenied: it is not who the URL
  // says, by the authorities that this machine trusts.
  Result<> Connect(const Url& url, const WaitLimits& limits);
  bool connected() const { return fd_ >= 0; }
  // False where the peer has closed it, or said something unasked.
  bool Quiet() const;

  // How many of `data` were taken; 0 where the peer reads no more (it may have answered already).
  Result<size_t> Send(std::string_view data, const WaitLimits& limits);
  // 0 at the end of the stream.
  Result<size_t> Receive(std::span<char> buffer, const WaitLimits& limits);

 private:
  Result<> ConnectSocket(const Url& url, const WaitLimits& limits);
  Result<> Wait(short events, const WaitLimits& limits) const;
  void Reset();

  int fd_ = -1;
  TlsSession tls_;
};

}  // namespace jikji::net

#endif  // JIKJI_NET_LINK_H_
