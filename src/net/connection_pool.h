// Connections of the client that wait, open, for their next exchange.
//
// The one that was used last is taken first, so that few are kept where few are needed. Those that
// the peer has closed are dropped when they are looked at. Thread-safe.
#ifndef JIKJI_NET_CONNECTION_POOL_H_
#define JIKJI_NET_CONNECTION_POOL_H_

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "net/link.h"

namespace jikji::net {

class ConnectionPool {
 public:
  // An open connection to "http://host:port", or one that is not connected.
  Link Take(const std::string& origin);
  void Keep(const std::string& origin, Link link);
  // Closes those to "http://host:port".
  void Drop(const std::string& origin);

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<Link>> idle_;
};

}  // namespace jikji::net

#endif  // JIKJI_NET_CONNECTION_POOL_H_
