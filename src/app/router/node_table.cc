#include "app/router/node_table.h"

#include <algorithm>

namespace jikji {
namespace {

// Room for the prefixes of some ten thousand conversations: 32 MiB.
constexpr size_t kIndexEntries = 1 << 20;
// A request that others sent is taken to get a usual answer.
constexpr int64_t kUsualOutput = 256;

}  // namespace

NodeTable::NodeTable(const std::vector<std::string>& fixed, const fleet::RouteOptions& options)
    : options_(options), index_(kIndexEntries) {
  site_.feeds.resize(1);
  site_.loops.resize(1);
  site_.racks.resize(1);
  site_.gpu_powers.resize(1);
  for (const std::string& url : fixed) Add(url, /*fixed=*/true);
}

int32_t NodeTable::FindUrl(std::string_view url) const {
  for (size_t i = 0; i < known_.size(); ++i) {
    if (!known_[i].left && known_[i].url == url) return static_cast<int32_t>(i);
  }
  return -1;
}

int32_t NodeTable::Find(std::string_view endpoint) const {
  const std::lock_guard lock(mutex_);
  return FindUrl("http://" + std::string(endpoint));
}

int32_t NodeTable::Add(const std::string& url, bool fixed) {
  auto place = std::ranges::find_if(
      known_, [](const Known& known) { return known.left && known.under_way == 0; });
  if (place == known_.end()) {
    place = known_.emplace(known_.end());
    site_.nodes.emplace_back();
    site_.loads.emplace_back();
  }
  *place = {.url = url, .fixed = fixed};
  const auto i = static_cast<size_t>(place - known_.begin());
  site_.nodes[i] = {};
  site_.nodes[i].state = fleet::NodeState::kDown;
  site_.loads[i] = {};
  return static_cast<int32_t>(i);
}

void NodeTable::Leave(int32_t index) {
  Known& known = known_[static_cast<size_t>(index)];
  known.left = true;
  Refresh(index);
  index_.Remove(index);
  SetOthers(index, 0);
}

void NodeTable::SetOthers(int32_t index, int32_t others) {
  Known& known = known_[static_cast<size_t>(index)];
  const int32_t more = others - known.others;
  fleet::AddWork(site_, index, more * fleet::DecodeWork(kUsualOutput));
  site_.loads[static_cast<size_t>(index)].running += more;
  known.others = others;
}

std::vector<NodeTable::Place> NodeTable::SetMembers(const std::vector<std::string>& urls) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < known_.size(); ++i) {
    const Known& known = known_[i];
    const bool stays = known.fixed || std::ranges::find(urls, known.url) != urls.end();
    if (!known.left && !stays) Leave(static_cast<int32_t>(i));
  }
  std::vector<Place> added;
  for (const std::string& url : urls) {
    if (FindUrl(url) < 0) added.push_back({Add(url, /*fixed=*/false), url});
  }
  return added;
}

std::vector<NodeTable::Place> NodeTable::Places() const {
  const std::lock_guard lock(mutex_);
  std::vector<Place> places;
  for (size_t i = 0; i < known_.size(); ++i) {
    const Known& known = known_[i];
    if (known.left) continue;
    places.push_back(
        {static_cast<int32_t>(i), known.url, known.requests - int64_t{known.under_way}});
  }
  return places;
}

int32_t NodeTable::ModelOf(std::string_view name) const {
  // Nodes that serve come first: one that is away may list the name beside another first model.
  for (const bool any_state : {false, true}) {
    for (size_t i = 0; i < known_.size(); ++i) {
      const fleet::Node& node = site_.nodes[i];
      if (node.model < 0 || (!any_state && node.state != fleet::NodeState::kServing)) continue;
      const std::vector<std::string>& models = known_[i].models;
      if (std::ranges::find(models, name) != models.end()) return node.model;
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
  node.state = !known.serving                 ? fleet::NodeState::kDown
               : known.draining || known.left ? fleet::NodeState::kDraining
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

void NodeTable::Seen(const Place& place, bool serving, const std::vector<std::string>& models,
                     const NodeMetrics& metrics) {
  const std::lock_guard lock(mutex_);
  const auto i = static_cast<size_t>(place.node);
  Known& known = known_[i];
  if (known.left || known.url != place.url) return;  // it left while it was looked at
  const bool changed = known.serving != serving || (serving && known.models != models);
  if (serving) known.models = models;
  if (!serving && known.serving) index_.Remove(place.node);
  known.serving = serving;
  if (changed) Refresh(place.node);
  known.gpu_watts = metrics.gpu_watts;
  fleet::NodeLoad& load = site_.loads[i];
  load.kv_capacity = metrics.cache_tokens;
  load.kv_tokens =
      static_cast<int64_t>(metrics.cache_use * static_cast<double>(metrics.cache_tokens));
  // What the node counted may be any of ours that were under way at some time of the look. Taking
  // only those that are so now would make work of others out of each that has ended meanwhile: more
  // the slower the node answers, and so the most where it matters.
  const int64_t ours = std::max<int64_t>(0, known.requests - place.ended);
  const int64_t counted = metrics.running + metrics.waiting;
  SetOthers(place.node, static_cast<int32_t>(std::clamp<int64_t>(counted - ours, 0, 1 << 20)));
}

void NodeTable::Lost(const Lease& lease) {
  const std::lock_guard lock(mutex_);
  Known& known = known_[static_cast<size_t>(lease.node)];
  if (!known.serving || known.url != lease.url) return;
  known.serving = false;
  index_.Remove(lease.node);
  Refresh(lease.node);
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
  request.decode_work = fleet::DecodeWork(asked.output_tokens);
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
  const Lease lease{.node = choice.node,
                    .prompt_work = asked.prompt_tokens - choice.cached_tokens,
                    .decode_work = request.decode_work,
                    .url = known_[i].url};
  fleet::AddWork(site_, choice.node, lease.prompt_work + lease.decode_work);
  site_.loads[i].prefill += lease.prompt_work;
  ++site_.loads[i].waiting;
  ++known_[i].under_way;
  ++known_[i].requests;
  return lease;
}

void NodeTable::EndPrompt(const Lease& lease) {
  fleet::AddWork(site_, lease.node, -lease.prompt_work);
  fleet::NodeLoad& load = site_.loads[static_cast<size_t>(lease.node)];
  load.prefill -= lease.prompt_work;
  --load.waiting;
}

void NodeTable::Answered(Lease& lease) {
  const std::lock_guard lock(mutex_);
  EndPrompt(lease);
  ++site_.loads[static_cast<size_t>(lease.node)].running;
  lease.answered = true;
}

void NodeTable::Release(const Lease& lease) {
  const std::lock_guard lock(mutex_);
  const auto i = static_cast<size_t>(lease.node);
  if (lease.answered) {
    --site_.loads[i].running;
  } else {
    EndPrompt(lease);
  }
  fleet::AddWork(site_, lease.node, -lease.decode_work);
  --known_[i].under_way;
}

std::vector<NodeTable::Row> NodeTable::Rows() const {
  const std::lock_guard lock(mutex_);
  std::vector<Row> rows;
  for (size_t i = 0; i < known_.size(); ++i) {
    const Known& known = known_[i];
    if (known.left) continue;
    rows.push_back(
        {known.url, site_.nodes[i].state, known.under_way, known.requests, known.gpu_watts});
  }
  return rows;
}

size_t NodeTable::Serving() const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(
      std::ranges::count(site_.nodes, fleet::NodeState::kServing, &fleet::Node::state));
}

}  // namespace jikji
