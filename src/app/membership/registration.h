// A node's entry in etcd: there while the node lives, gone when it leaves or dies.
//
// The entry hangs on a lease that a thread keeps alive, three times in its length. A node that is
// killed is forgotten when its lease ends; one that leaves, at once. Where etcd is away the node
// serves on and the thread keeps trying; where etcd has lost the lease, it registers anew.
#ifndef JIKJI_APP_MEMBERSHIP_REGISTRATION_H_
#define JIKJI_APP_MEMBERSHIP_REGISTRATION_H_

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/membership/etcd.h"

namespace jikji {

// Entries of nodes are `prefix` + HOST:PORT, and hold {"url": "http://HOST:PORT"}.
inline constexpr const char* kNodePrefix = "/jikji/nodes/";

struct RegistrationOptions {
  std::vector<std::string> etcd;  // endpoints
  std::string prefix = kNodePrefix;
  std::string url;  // of this node, as routers reach it
  std::chrono::seconds lease{10};
  std::chrono::milliseconds retry{1000};
};

class Registration {
 public:
  // Errors are of the options only; etcd need not be there yet.
  static Result<std::unique_ptr<Registration>> Start(RegistrationOptions options);
  // Leaves.
  ~Registration();
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  // Takes the entry out. Tries once: where etcd is away, the lease ends by itself.
  void Leave();

 private:
  Registration(RegistrationOptions options, Etcd etcd);
  void Run();
  Result<> Register();
  // One look after the entry; how long until the next.
  std::chrono::milliseconds Tend();
  void Tell(const Result<>& done);

  const RegistrationOptions options_;
  Etcd etcd_;
  Etcd::Lease lease_;  // id 0: none
  bool away_ = false;  // etcd did not answer last time
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::jthread thread_;
};

}  // namespace jikji

#endif  // JIKJI_APP_MEMBERSHIP_REGISTRATION_H_
