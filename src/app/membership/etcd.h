// etcd, as far as membership needs it: keys that live as long as a lease, and word of changes.
//
// Speaks the JSON gateway of etcd's v3 API (etcd 3.4 and later), which is plain HTTP, instead of
// gRPC. Of several endpoints the next is asked where one does not answer. Not thread-safe: one for
// each thread. Non-goals: TLS, users, transactions; what a watch tells beyond that something
// changed, since listing again cannot miss or reorder anything.
#ifndef JIKJI_APP_MEMBERSHIP_ETCD_H_
#define JIKJI_APP_MEMBERSHIP_ETCD_H_

#include <boost/json/fwd.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/cancellation.h"

namespace jikji {

class Etcd {
 public:
  // `endpoints`: http://HOST:PORT. `cancellation` may be null; else it outlives this.
  static Result<Etcd> Create(std::vector<std::string> endpoints,
                             const net::Cancellation* cancellation = nullptr);

  // A lease that ends unless it is kept alive; etcd may make it longer.
  struct Lease {
    int64_t id = 0;
    std::chrono::seconds ttl{0};
  };
  Result<Lease> Grant(std::chrono::seconds ttl);
  // False where the lease has ended.
  Result<bool> KeepAlive(int64_t lease);
  // Ends it at once, with its keys.
  Result<> Revoke(int64_t lease);

  Result<> Put(std::string_view key, std::string_view value, int64_t lease);

  struct Listing {
    std::map<std::string, std::string> values;
    int64_t revision = 0;
  };
  // `prefix` is not empty.
  Result<Listing> List(std::string_view prefix);

  // Returns once something under `prefix` has changed after `revision`, or `patience` is over.
  Result<> AwaitChange(std::string_view prefix, int64_t revision, std::chrono::seconds patience);

 private:
  explicit Etcd(std::vector<std::string> endpoints, const net::Cancellation* cancellation)
      : endpoints_(std::move(endpoints)), cancellation_(cancellation) {}

  Result<boost::json::object> Call(std::string_view path, const boost::json::object& body);

  std::vector<std::string> endpoints_;
  const net::Cancellation* cancellation_;
  size_t at_ = 0;  // the endpoint that answered last
};

}  // namespace jikji

#endif  // JIKJI_APP_MEMBERSHIP_ETCD_H_
