#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

namespace jikji::net {
namespace {

// send() with MSG_NOSIGNAL in place of OpenSSL's write(): a peer that goes away must not end the
// program by SIGPIPE.
int WriteQuietly(BIO* bio, const char* data, int size) {
  int socket = -1;
  BIO_get_fd(bio, &socket);
  const ssize_t count = send(socket, data, static_cast<size_t>(size), MSG_NOSIGNAL);
  BIO_clear_retry_flags(bio);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(count);
}

BIO_METHOD* QuietSocket() {
  static BIO_METHOD* const method = [] {
    const BIO_METHOD* base = BIO_s_socket();
    BIO_METHOD* made = BIO_meth_new(BIO_TYPE_SOCKET, "socket without SIGPIPE");
    if (made == nullptr) return made;
    BIO_meth_set_write(made, WriteQuietly);
    BIO_meth_set_read(made, BIO_meth_get_read(base));
    BIO_meth_set_ctrl(made, BIO_meth_get_ctrl(base));
    BIO_meth_set_create(made, BIO_meth_get_create(base));
    BIO_meth_set_destroy(made, BIO_meth_get_destroy(base));
    return made;
  }();
  return method;
}

// One for the program: it holds the authorities that are trusted.
SSL_CTX* ClientContext() {
  static SSL_CTX* const context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    if (made == nullptr) return made;
    SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
    SSL_CTX_set_verify(made, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_default_verify_paths(made);
    return made;
  }();
  return context;
}

bool IsAddress(const std::string& host) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

}  // namespace

Result<TlsSession> TlsSession::Begin(int socket, const std::string& host) {
  const auto failed = [] { return Fail(ErrorCode::kInternal, "TLS cannot be set up"); };
  if (ClientContext() == nullptr || QuietSocket() == nullptr) return failed();
  TlsSession session;
  session.session_ = std::shared_ptr<SSL>(SSL_new(ClientContext()), SSL_free);
  BIO* bio = BIO_new(QuietSocket());
  if (!session || bio == nullptr) {
    BIO_free(bio);
    return failed();
  }
  BIO_set_fd(bio, socket, BIO_NOCLOSE);
  SSL* ssl = session.session_.get();
  SSL_set_bio(ssl, bio, bio);
  const bool named = IsAddress(host)
                         ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1
                         : SSL_set1_host(ssl, host.c_str()) == 1 &&
                               SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
  if (!named) return failed();
  return session;
}

TlsSession::Step TlsSession::StepOf(int result, size_t bytes) {
  if (result > 0) return {State::kDone, bytes, 0};
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {State::kWait, 0, POLLIN};
    case SSL_ERROR_WANT_WRITE:
      return {State::kWait, 0, POLLOUT};
    case SSL_ERROR_ZERO_RETURN:
      return {State::kDone, 0, 0};
    default:
      return {};
  }
}

TlsSession::Step TlsSession::Greet() {
  ERR_clear_error();
  Step step = StepOf(SSL_connect(session_.get()), 0);
  // The peer hung up in the middle.
  if (step.state == State::kDone && SSL_is_init_finished(session_.get()) == 0) step = {};
  return step;
}

TlsSession::Step TlsSession::Write(std::string_view data) {
  if (data.empty()) return {State::kDone, 0, 0};
  ERR_clear_error();
  size_t bytes = 0;
  const int result = SSL_write_ex(session_.get(), data.data(), data.size(), &bytes);
  return StepOf(result, bytes);
}

TlsSession::Step TlsSession::Read(char* data, size_t size) {
  ERR_clear_error();
  size_t bytes = 0;
  const int result = SSL_read_ex(session_.get(), data, size, &bytes);
  return StepOf(result, bytes);
}

std::unexpected<Error> TlsSession::WhyNot(const std::string& where) const {
  const long verified = SSL_get_verify_result(session_.get());
  if (verified != X509_V_OK) {
    return Fail(ErrorCode::kPermissionDenied,
                std::string("the host's certificate is not to be trusted: ") +
                    X509_verify_cert_error_string(verified),
                where);
  }
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return Fail(ErrorCode::kUnavailable,
              std::string("TLS failed: ") + (reason == nullptr ? "the peer hung up" : reason),
              where);
}

}  // namespace jikji::net
