// A connected TCP socket of the client whose every wait is bounded, and where it leads.
//
// Internal to net/.
#ifndef JIKJI_NET_LINK_H_
#define JIKJI_NET_LINK_H_

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace jikji::net {

class Cancellation;

struct Url {
  std::string host;  // without brackets
  std::string port;
  std::string authority;  // as given: the Host field
  std::string target;
};

// "http://host:port/path?query"; the fragment is left out.
Result<Url> ParseUrl(const std::string& text);

// What bounds a wait, and what its errors name.
struct WaitLimits {
  std::chrono::milliseconds timeout{0};
  const Cancellation* cancellation = nullptr;
  std::string where;
};

class Link {
 public:
  Link() = default;
  Link(Link&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Link& operator=(Link&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Link() { Reset(); }

  // To the first of the host's addresses that takes it.
  Result<> Connect(const Url& url, const WaitLimits& limits);
  bool connected() const { return fd_ >= 0; }
  // False where the peer has closed it, or said something unasked.
  bool Quiet() const;

  // How many of `data` were taken; 0 where the peer reads no more (it may have answered already).
  Result<size_t> Send(std::string_view data, const WaitLimits& limits);
  // 0 at the end of the stream.
  Result<size_t> Receive(std::vector<char>& buffer, const WaitLimits& limits);

 private:
  Result<> Wait(short events, const WaitLimits& limits) const;
  void Reset();

  int fd_ = -1;
};

}  // namespace jikji::net

#endif  // JIKJI_NET_LINK_H_
