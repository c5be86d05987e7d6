#include "api/reply.h"

#include <iterator>
#include <utility>

namespace jikji {

Reply::Reply(std::shared_ptr<net::Responder> responder, std::string request_id,
             net::Headers headers)
    : responder_(std::move(responder)),
      request_id_(std::move(request_id)),
      headers_(std::move(headers)) {}

void Reply::Add(net::Headers headers) {
  headers_.insert(headers_.end(), std::make_move_iterator(headers.begin()),
                  std::make_move_iterator(headers.end()));
}

void Reply::AddHeaders(net::Response& response) const {
  response.headers.emplace_back("X-Request-Id", request_id_);
  response.headers.insert(response.headers.end(), headers_.begin(), headers_.end());
}

void Reply::Send(net::Response response) const {
  AddHeaders(response);
  responder_->Send(std::move(response));
}

void Reply::SendJson(std::string body) const { Send({.headers = {}, .body = std::move(body)}); }

void Reply::SendError(const ApiError& error) const {
  net::Response response;
  response.status = error.status;
  response.body = error.ToJson();
  if (error.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (error.retry_after) {
    response.headers.emplace_back("Retry-After", std::to_string(*error.retry_after));
  }
  Send(std::move(response));
}

void Reply::BeginEvents() const {
  net::Response head;
  head.content_type = "text/event-stream";
  // A proxy that gathers a stream before it passes it on would undo it.
  head.headers = {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}};
  AddHeaders(head);
  responder_->Begin(std::move(head));
}

void Reply::OnDisconnect(std::function<void()> callback) const {
  responder_->OnDisconnect(std::move(callback));
}

}  // namespace jikji
