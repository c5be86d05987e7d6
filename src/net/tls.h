// TLS of one client connection, over a non-blocking socket that someone else owns and waits on.
//
// Contract: the peer's certificate must be one of the host's, by the authorities that this machine
// trusts (OpenSSL's default files; SSL_CERT_FILE and SSL_CERT_DIR name others); there is no way to
// turn that off. TLS 1.2 and up. Internal to net/. Non-goals: servers, client certificates.
#ifndef JIKJI_NET_TLS_H_
#define JIKJI_NET_TLS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

struct ssl_st;

namespace jikji::net {

class TlsSession {
 public:
  enum class State { kDone, kWait, kFailed };
  struct Step {
    State state = State::kFailed;
    size_t bytes = 0;  // with kDone: written, or read; 0 where the peer ended the stream in order
    short events = 0;  // with kWait: what poll() is to wait for before the same call is made again
  };

  TlsSession() = default;
  // `socket` outlives this.
  static Result<TlsSession> Begin(int socket, const std::string& host);

  explicit operator bool() const { return session_ != nullptr; }

  Step Greet();
  Step Write(std::string_view data);
  Step Read(char* data, size_t size);
  // After a Greet that failed.
  std::unexpected<Error> WhyNot(const std::string& where) const;

 private:
  Step StepOf(int result, size_t bytes);

  std::shared_ptr<ssl_st> session_;
};

}  // namespace jikji::net

#endif  // JIKJI_NET_TLS_H_
