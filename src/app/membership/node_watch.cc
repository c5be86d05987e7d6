#include "app/membership/node_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "app/membership/node_url.h"
#include "base/json.h"
#include "base/log.h"

namespace jikji {

std::vector<std::string> UrlsOf(const Etcd::Listing& listing) {
  std::vector<std::string> urls;
  for (const auto& [key, value] : listing.values) {
    const auto parsed = ParseJson(value);
    if (!parsed || !parsed->is_object()) continue;
    const auto named = OptionalString(parsed->get_object(), "url");
    if (!named || !*named) continue;
    if (auto url = NodeUrl(**named)) urls.push_back(*std::move(url));
  }
  std::ranges::sort(urls);
  urls.erase(std::ranges::unique(urls).begin(), urls.end());
  return urls;
}

Result<std::unique_ptr<NodeWatch>> NodeWatch::Start(NodeWatchOptions options, OnNodes on_nodes) {
  // Not make_unique: the constructor is private.
  std::unique_ptr<NodeWatch> made(new NodeWatch(std::move(options), std::move(on_nodes)));
  JIKJI_ASSIGN(Etcd etcd, Etcd::Create(made->options_.etcd, &made->cancellation_));
  const auto first = made->Look(etcd);
  made->Tell(first ? nullptr : &first.error());
  made->thread_ = std::jthread(
      [watch = made.get(), etcd = std::move(etcd)]() mutable { watch->Run(std::move(etcd)); });
  return made;
}

NodeWatch::~NodeWatch() {
  cancellation_.Cancel();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
}

void NodeWatch::Run(Etcd etcd) {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    Result<> done;
    if (const auto revision = Look(etcd)) {
      Tell(nullptr);
      done = etcd.AwaitChange(options_.prefix, *revision, options_.patience);
    } else {
      done = std::unexpected(revision.error());
    }
    if (!done) Tell(&done.error());
    lock.lock();
    if (!done) stop_.wait_for(lock, options_.retry, [this] { return stopping_; });
  }
}

Result<int64_t> NodeWatch::Look(Etcd& etcd) {
  JIKJI_ASSIGN(const Etcd::Listing listing, etcd.List(options_.prefix));
  std::vector<std::string> urls = UrlsOf(listing);
  if (urls != known_) {
    if (urls.empty()) {
      Log(LogLevel::kWarning,
          fmt::format("etcd names no node any more; the {} known ones stay as long as they serve",
                      known_.size()));
    } else {
      on_nodes_(urls);
    }
    known_ = std::move(urls);
  }
  return listing.revision;
}

void NodeWatch::Tell(const Error* error) {
  if (error != nullptr && error->code == ErrorCode::kCancelled) return;
  if (error != nullptr && !away_) {
    Log(LogLevel::kWarning, "etcd does not answer; the known nodes stay: " + error->ToString());
  }
  if (error == nullptr && away_) Log(LogLevel::kInfo, "etcd answers again");
  away_ = error != nullptr;
}

}  // namespace jikji
