#include "app/node_table.h"

#include <algorithm>

namespace jikji {
namespace {

// Room for the prefixes of some ten thousand conversations: 32 MiB.
constexpr size_t kIndexEntries = 1 << 20;
// What a request that others sent is taken to cost: a usual answer.
constexpr int64_t kUsualWork = 512;

}  // namespace

NodeTable::NodeTable(std::vector<std::string> urls, const fleet::RouteOptions& options)
    : urls_(std::move(urls)), options_(options), known_(urls_.size()), index_(kIndexEntries) {
  site_.feeds.resize(1);
  site_.loops.resize(1);
  site_.racks.resize(1);
  site_.gpu_powers.resize(1);
  fleet::Node down;
  down.state = fleet::NodeState::kDown;
  site_.nodes.assign(urls_.size(), down);
  site_.loads.resize(urls_.size());
}

int32_t NodeTable::Find(std::string_view endpoint) const {
  for (size_t i = 0; i < urls_.size(); ++i) {
    std::string_view url = urls_[i];
    url.remove_prefix(std::min(url.size(), std::string_view("http://").size()));
    if (url == endpoint) return static_cast<int32_t>(i);
  }
  return -1;
}

int32_t NodeTable::ModelOf(std::string_view name) const {
  for (size_t i = 0; i < known_.size(); ++i) {
    const fleet::Node& node = site_.nodes[i];
    if (node.model >= 0 && std::ranges::find(known_[i].models, name) != known_[i].models.end()) {
      return node.model;
    }
  }
  // A node that does not know the name says so better than a router could.
  for (const fleet::Node& node : site_.nodes) {
    if (node.state == fleet::NodeState::kServing) return node.model;
  }
  return 0;
}

void NodeTable::Refresh(int32_t index) {
  const auto i = static_cast<size_t>(index);
  fleet::Node& node = site_.nodes[i];
  const Known& known = known_[i];
  node.state = !known.serving   ? fleet::NodeState::kDown
               : known.draining ? fleet::NodeState::kDraining
                                : fleet::NodeState::kServing;
  const std::string name = known.models.empty() ? std::string() : known.models.front();
  const auto model = std::ranges::find(site_.models, name, &fleet::Model::name);
  node.model = static_cast<int32_t>(model - site_.models.begin());
  if (model == site_.models.end()) {
    fleet::Model added;
    added.name = name;
    site_.models.push_back(added);
  }
  RebuildPools(site_);
}

void NodeTable::Seen(int32_t index, bool serving, const std::vector<std::string>& models,
                     const NodeMetrics& metrics) {
  const std::lock_guard lock(mutex_);
  const auto i = static_cast<size_t>(index);
  Known& known = known_[i];
  const bool changed = known.serving != serving || (serving && known.models != models);
  if (serving) known.models = models;
  if (!serving && known.serving) index_.Remove(index);
  known.serving = serving;
  if (changed) Refresh(index);
  fleet::NodeLoad& load = site_.loads[i];
  load.kv_capacity = metrics.cache_tokens;
  load.kv_tokens =
      static_cast<int64_t>(metrics.cache_use * static_cast<double>(metrics.cache_tokens));
  const int64_t others =
      std::max<int64_t>(0, metrics.running + metrics.waiting - known.under_way) * kUsualWork;
  fleet::AddWork(site_, index, others - known.others_work);
  known.others_work = others;
  load.waiting = static_cast<int32_t>(std::min<int64_t>(metrics.waiting, 1 << 30));
}

void NodeTable::Lost(int32_t index) {
  const std::lock_guard lock(mutex_);
  if (!known_[static_cast<size_t>(index)].serving) return;
  known_[static_cast<size_t>(index)].serving = false;
  index_.Remove(index);
  Refresh(index);
}

void NodeTable::SetDraining(int32_t index, bool draining) {
  const std::lock_guard lock(mutex_);
  known_[static_cast<size_t>(index)].draining = draining;
  Refresh(index);
}

NodeTable::Lease NodeTable::Acquire(const Request& asked, int32_t wanted) {
  const std::lock_guard lock(mutex_);
  fleet::RouteRequest request;
  request.id = next_id_++;
  request.model = ModelOf(asked.model);
  request.prompt_tokens = asked.prompt_tokens;
  request.decode_work = asked.output_tokens;
  request.prefix = asked.prefix;
  request.excluded = asked.excluded;
  fleet::RouteChoice choice;
  if (wanted >= 0) {
    if (!fleet::MayServe(site_, wanted, request)) return {};
    choice.node = wanted;
  } else {
    choice = fleet::Route(site_, index_, request, options_);
  }
  if (choice.node < 0) return {};
  index_.Add(asked.prefix, choice.node);
  const auto i = static_cast<size_t>(choice.node);
  const Lease lease{choice.node, asked.prompt_tokens - choice.cached_tokens + asked.output_tokens};
  fleet::AddWork(site_, choice.node, lease.work);
  ++site_.loads[i].running;
  ++known_[i].under_way;
  ++known_[i].requests;
  return lease;
}

void NodeTable::Release(const Lease& lease) {
  const std::lock_guard lock(mutex_);
  const auto i = static_cast<size_t>(lease.node);
  fleet::AddWork(site_, lease.node, -lease.work);
  --site_.loads[i].running;
  --known_[i].under_way;
}

std::vector<NodeTable::Row> NodeTable::Rows() const {
  const std::lock_guard lock(mutex_);
  std::vector<Row> rows;
  for (size_t i = 0; i < urls_.size(); ++i) {
    rows.push_back({urls_[i], site_.nodes[i].state, known_[i].under_way, known_[i].requests});
  }
  return rows;
}

size_t NodeTable::Serving() const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(
      std::ranges::count(site_.nodes, fleet::NodeState::kServing, &fleet::Node::state));
}

}  // namespace jikji
