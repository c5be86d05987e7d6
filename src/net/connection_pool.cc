#include "net/connection_pool.h"

namespace jikji::net {
namespace {

// To one host; as many as there are answers at once at most are ever asked for.
constexpr size_t kMostIdle = 256;

}  // namespace

Link ConnectionPool::Take(const std::string& origin) {
  const std::lock_guard lock(mutex_);
  const auto found = idle_.find(origin);
  if (found == idle_.end()) return {};
  std::vector<Link>& links = found->second;
  while (!links.empty()) {
    Link link = std::move(links.back());
    links.pop_back();
    if (link.Quiet()) return link;
  }
  return {};
}

void ConnectionPool::Keep(const std::string& origin, Link link) {
  const std::lock_guard lock(mutex_);
  std::vector<Link>& links = idle_[origin];
  if (links.size() < kMostIdle) links.push_back(std::move(link));
}

void ConnectionPool::Drop(const std::string& origin) {
  const std::lock_guard lock(mutex_);
  idle_.erase(origin);
}

}  // namespace jikji::net
