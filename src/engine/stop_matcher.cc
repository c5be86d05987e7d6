#include "engine/stop_matcher.h"

#include <algorithm>
#include <utility>

namespace jikji {

StopStrings::StopStrings(const std::vector<std::string>& strings) : nodes_(1) {
  for (const std::string& text : strings) {
    int32_t node = 0;
    for (const char byte : text) {
      const int32_t child = Child(node, byte);
      node = child >= 0 ? child : Insert(node, byte);
    }
    nodes_[static_cast<size_t>(node)].matched = text.size();
  }
  // Breadth first, so that a fallback (always shallower) is complete before it is used.
  std::vector<int32_t> queue = {0};
  for (size_t i = 0; i < queue.size(); ++i) {
    const int32_t parent = queue[i];
    for (int32_t child = nodes_[static_cast<size_t>(parent)].first_child; child >= 0;
         child = nodes_[static_cast<size_t>(child)].next_sibling) {
      Node& node = nodes_[static_cast<size_t>(child)];
      if (parent != 0) {
        State state{nodes_[static_cast<size_t>(parent)].fallback};
        Advance(state, node.byte);
        node.fallback = state.node;
      }
      node.matched = std::max(node.matched, nodes_[static_cast<size_t>(node.fallback)].matched);
      queue.push_back(child);
    }
  }
}

int32_t StopStrings::Child(int32_t node, char byte) const {
  int32_t child = nodes_[static_cast<size_t>(node)].first_child;
  while (child >= 0 && nodes_[static_cast<size_t>(child)].byte != byte) {
    child = nodes_[static_cast<size_t>(child)].next_sibling;
  }
  return child;
}

int32_t StopStrings::Insert(int32_t parent, char byte) {
  const auto child = static_cast<int32_t>(nodes_.size());
  Node node;
  node.depth = nodes_[static_cast<size_t>(parent)].depth + 1;
  node.byte = byte;
  node.next_sibling = nodes_[static_cast<size_t>(parent)].first_child;
  nodes_.push_back(node);
  nodes_[static_cast<size_t>(parent)].first_child = child;
  return child;
}

void StopStrings::Advance(State& state, char byte) const {
  int32_t child = Child(state.node, byte);
  while (child < 0 && state.node != 0) {
    state.node = nodes_[static_cast<size_t>(state.node)].fallback;
    child = Child(state.node, byte);
  }
  if (child >= 0) state.node = child;
}

StopMatcher::StopMatcher(std::shared_ptr<const StopStrings> strings, bool include_match)
    : strings_(std::move(strings)), include_match_(include_match) {}

std::string StopMatcher::Push(std::string_view piece) {
  if (match_) return {};
  std::string text = std::exchange(held_, {});
  const size_t before = text.size();
  text += piece;
  for (size_t i = before; i < text.size(); ++i) {
    strings_->Advance(state_, text[i]);
    const size_t length = strings_->Matched(state_);
    if (length == 0) continue;
    const size_t start = i + 1 - length;
    match_ = text.substr(start, length);
    text.resize(include_match_ ? i + 1 : start);
    return text;
  }
  const size_t certain = text.size() - strings_->Held(state_);
  held_ = text.substr(certain);
  text.resize(certain);
  return text;
}

std::string StopMatcher::Finish() { return std::exchange(held_, {}); }

}  // namespace jikji
