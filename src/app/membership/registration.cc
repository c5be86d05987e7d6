#include "app/membership/registration.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/membership/node_url.h"
#include "base/log.h"

namespace jikji {

Result<std::unique_ptr<Registration>> Registration::Start(RegistrationOptions options) {
  JIKJI_ASSIGN(options.url, NodeUrl(options.url));
  JIKJI_ASSIGN(Etcd etcd, Etcd::Create(options.etcd));
  // Not make_unique: the constructor is private.
  std::unique_ptr<Registration> made(new Registration(std::move(options), std::move(etcd)));
  made->thread_ = std::jthread([registration = made.get()] { registration->Run(); });
  return made;
}

Registration::Registration(RegistrationOptions options, Etcd etcd)
    : options_(std::move(options)), etcd_(std::move(etcd)) {}

Registration::~Registration() { Leave(); }

void Registration::Leave() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (lease_.id == 0) return;
  if (const auto done = etcd_.Revoke(lease_.id); !done) {
    Log(LogLevel::kWarning, "etcd was not told that this node leaves: " + done.error().ToString());
  }
  lease_ = {};
}

void Registration::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const auto pause = Tend();
    lock.lock();
    stop_.wait_for(lock, pause, [this] { return stopping_; });
  }
}

std::chrono::milliseconds Registration::Tend() {
  Result<> done;
  if (lease_.id != 0) {
    const auto alive = etcd_.KeepAlive(lease_.id);
    if (!alive) done = std::unexpected(alive.error());
    if (alive && !*alive) lease_ = {};
  }
  if (done && lease_.id == 0) done = Register();
  Tell(done);
  return done ? std::chrono::milliseconds(lease_.ttl) / 3 : options_.retry;
}

Result<> Registration::Register() {
  JIKJI_ASSIGN(const Etcd::Lease lease, etcd_.Grant(options_.lease));
  const std::string value = boost::json::serialize(boost::json::object{{"url", options_.url}});
  JIKJI_RETURN_IF_ERROR(
      etcd_.Put(options_.prefix + std::string(EndpointOf(options_.url)), value, lease.id));
  lease_ = lease;
  Log(LogLevel::kInfo, fmt::format("registered in etcd as {}", options_.url));
  return {};
}

void Registration::Tell(const Result<>& done) {
  if (!done && !away_) {
    Log(LogLevel::kWarning, "etcd does not answer; serving on: " + done.error().ToString());
  }
  if (done && away_) Log(LogLevel::kInfo, "etcd answers again");
  away_ = !done;
}

}  // namespace jikji
