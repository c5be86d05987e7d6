#include "net/exchange.h"

#include <exception>
#include <string>
#include <utility>

#include "base/log.h"
#include "net/message.h"

namespace jikji::net {
namespace {

void Call(const std::function<void()>& callback) {
  if (!callback) return;
  try {
    callback();
  } catch (const std::exception& error) {
    Log(LogLevel::kError, std::string("an OnDisconnect callback threw: ") + error.what());
  }
}

void LogMisuse(const char* what) {
  Log(LogLevel::kError, std::string("a handler answered wrongly: ") + what);
}

class ExchangeResponder : public Responder {
 public:
  explicit ExchangeResponder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~ExchangeResponder() override { exchange_->Abandon(); }

  void Send(Response response) override { exchange_->Send(std::move(response)); }
  void Begin(Response head) override { exchange_->Begin(std::move(head)); }
  bool Write(std::string chunk) override { return exchange_->Write(std::move(chunk)); }
  void End() override { exchange_->End(); }
  void OnDisconnect(std::function<void()> callback) override {
    exchange_->OnDisconnect(std::move(callback));
  }

 private:
  std::shared_ptr<Exchange> exchange_;
};

}  // namespace

std::shared_ptr<Responder> MakeResponder(std::shared_ptr<Exchange> exchange) {
  return std::make_shared<ExchangeResponder>(std::move(exchange));
}

void Exchange::WakeLocked() {
  if (gone_ || wake_posted_) return;
  wake_posted_ = true;
  host_->Wake(shared_from_this());
}

void Exchange::Send(Response response) {
  std::function<void()> dropped;  // Destroyed after the lock is released.
  std::lock_guard lock(mutex_);
  if (phase_ != Phase::kWaiting) return LogMisuse("Send after Send or Begin");
  phase_ = Phase::kComplete;
  if (gone_) return;
  head_ = std::move(response);
  dropped.swap(on_disconnect_);
  WakeLocked();
}

void Exchange::Begin(Response head) {
  std::lock_guard lock(mutex_);
  if (phase_ != Phase::kWaiting) return LogMisuse("Begin after Send or Begin");
  phase_ = Phase::kStreaming;
  if (gone_) return;
  streamed_ = true;
  bodiless_ = options_.head_only || IsBodiless(head.status);
  head_ = std::move(head);
  WakeLocked();
}

bool Exchange::Write(std::string chunk) {
  std::lock_guard lock(mutex_);
  if (gone_ || cut_) return false;
  if (phase_ != Phase::kStreaming) {
    LogMisuse("Write outside Begin and End");
    return false;
  }
  if (bodiless_ || chunk.empty()) return true;  // An empty chunk would end the stream.
  const size_t unsent = body_.bytes() + unsent_.load(std::memory_order_relaxed);
  if (unsent > 0 && unsent + chunk.size() > options_.max_unsent_bytes) {
    cut_ = true;  // A stream with a hole in it must not look whole.
    body_.Clear();
    WakeLocked();
    return false;
  }
  if (options_.http11) {
    body_.AppendChunk(std::move(chunk));
  } else {
    body_.Append(std::move(chunk));
  }
  WakeLocked();
  return true;
}

void Exchange::End() {
  std::function<void()> dropped;
  std::lock_guard lock(mutex_);
  if (gone_ || cut_) return;
  if (phase_ != Phase::kStreaming) return LogMisuse("End without Begin");
  phase_ = Phase::kComplete;
  if (options_.http11 && !bodiless_) body_.AppendCopy("0\r\n\r\n");
  dropped.swap(on_disconnect_);
  WakeLocked();
}

void Exchange::OnDisconnect(std::function<void()> callback) {
  {
    std::lock_guard lock(mutex_);
    if (!gone_) {
      if (phase_ != Phase::kComplete) on_disconnect_.swap(callback);
      return;
    }
    if (phase_ == Phase::kComplete) return;
  }
  Call(callback);
}

void Exchange::Abandon() {
  std::function<void()> dropped;
  std::lock_guard lock(mutex_);
  if (gone_ || cut_ || phase_ == Phase::kComplete) return;
  dropped.swap(on_disconnect_);
  if (phase_ == Phase::kStreaming) {
    cut_ = true;
  } else {
    phase_ = Phase::kComplete;
    failed_ = true;
  }
  WakeLocked();
}

Exchange::Taken Exchange::Take() {
  std::lock_guard lock(mutex_);
  wake_posted_ = false;
  Taken taken;
  taken.head.swap(head_);
  taken.failed = std::exchange(failed_, false);
  taken.streamed = streamed_;
  taken.complete = phase_ == Phase::kComplete;
  taken.cut = cut_;
  unsent_.fetch_add(body_.bytes(), std::memory_order_relaxed);
  taken.body.Splice(body_);
  return taken;
}

void Exchange::PeerGone() {
  std::function<void()> callback;
  {
    std::lock_guard lock(mutex_);
    if (gone_) return;
    gone_ = true;
    callback.swap(on_disconnect_);
    head_.reset();
    body_.Clear();
    host_.reset();
    if (phase_ == Phase::kComplete) return;
  }
  Call(callback);
}

}  // namespace jikji::net
