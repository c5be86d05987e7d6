// The answer to one HTTP request, with what every answer carries: X-Request-Id and the headers that
// let a browser read it.
#ifndef JIKJI_API_REPLY_H_
#define JIKJI_API_REPLY_H_

#include <functional>
#include <memory>
#include <string>

#include "api/api_error.h"
#include "net/http.h"

namespace jikji {

// Copies are handles to the same answer. Thread-safe as net::Responder is.
class Reply {
 public:
  Reply(std::shared_ptr<net::Responder> responder, std::string request_id, net::Headers headers);

  const std::string& request_id() const { return request_id_; }

  // For the head of the answer; of this handle and its later copies.
  void Add(net::Headers headers);

  void Send(net::Response response) const;
  void SendJson(std::string body) const;
  void SendError(const ApiError& error) const;

  // A stream of server-sent events.
  void BeginEvents() const;
  bool Write(std::string events) const { return responder_->Write(std::move(events)); }
  void End() const { responder_->End(); }
  void OnDisconnect(std::function<void()> callback) const;

 private:
  void AddHeaders(net::Response& response) const;

  std::shared_ptr<net::Responder> responder_;
  std::string request_id_;
  net::Headers headers_;
};

}  // namespace jikji

#endif  // JIKJI_API_REPLY_H_
