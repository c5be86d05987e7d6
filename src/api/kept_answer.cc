#include "api/kept_answer.h"

#include <algorithm>
#include <utility>

namespace jikji {

net::Response KeptAnswer::HeadFor(bool repeat) const {
  net::Response head = head_;
  if (repeat) head.headers.emplace_back("Idempotent-Replayed", "true");
  return head;
}

bool KeptAnswer::Join(std::shared_ptr<net::Responder> responder, bool repeat) {
  // Before the lock: it may be called from within, where the peer has gone already.
  responder->OnDisconnect([weak = weak_from_this(), who = responder.get()] {
    if (const auto answer = weak.lock()) answer->Leave(who);
  });
  const std::lock_guard lock(mutex_);
  if (dropped_) return false;
  if (begun_ && streamed_) {
    responder->Begin(HeadFor(repeat));
    if (!stream_.empty()) responder->Write(stream_);
    if (ended_) responder->End();
  } else if (begun_) {
    responder->Send(HeadFor(repeat));
  }
  if (!ended_) listeners_.push_back({std::move(responder), repeat});
  return true;
}

void KeptAnswer::Leave(const net::Responder* responder) {
  std::vector<Listener> gone;  // destroyed outside of the lock
  const std::lock_guard lock(mutex_);
  const auto middle = std::ranges::stable_partition(
      listeners_, [&](const Listener& listener) { return listener.responder.get() != responder; });
  gone.assign(std::make_move_iterator(middle.begin()), std::make_move_iterator(middle.end()));
  listeners_.erase(middle.begin(), middle.end());
}

void KeptAnswer::Send(net::Response response) {
  const std::lock_guard lock(mutex_);
  head_ = std::move(response);
  begun_ = ended_ = true;
  for (const Listener& listener : listeners_) listener.responder->Send(HeadFor(listener.repeat));
  listeners_.clear();
  if (dropped_ || head_.body.size() > most_bytes_) {
    dropped_ = true;
    head_ = {};
  }
}

void KeptAnswer::Begin(net::Response head) {
  const std::lock_guard lock(mutex_);
  head_ = std::move(head);
  begun_ = streamed_ = true;
  for (const Listener& listener : listeners_) listener.responder->Begin(HeadFor(listener.repeat));
}

bool KeptAnswer::Write(std::string chunk) {
  const std::lock_guard lock(mutex_);
  std::erase_if(listeners_,
                [&](const Listener& listener) { return !listener.responder->Write(chunk); });
  if (!dropped_ && stream_.size() + chunk.size() > most_bytes_) {
    dropped_ = true;
    std::string().swap(stream_);
  }
  if (!dropped_) stream_ += chunk;
  return !dropped_ || !listeners_.empty();
}

void KeptAnswer::End() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  for (const Listener& listener : listeners_) listener.responder->End();
  listeners_.clear();
}

void KeptAnswer::Break() {
  const std::lock_guard lock(mutex_);
  ended_ = dropped_ = true;
  listeners_.clear();
}

size_t KeptAnswer::bytes() const {
  const std::lock_guard lock(mutex_);
  return dropped_ ? 0 : head_.body.size() + stream_.size();
}

bool KeptAnswer::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

void KeptAnswer::Drop() {
  const std::lock_guard lock(mutex_);
  dropped_ = true;
  head_ = {};
  std::string().swap(stream_);
}

}  // namespace jikji
