// Stop strings in a text that comes in pieces.
//
// A match is the first place where any stop string ends; of those that end there, the longest. So
// the result does not depend on where the pieces are cut. Text that may still become a stop string
// is held back. Linear in the text, whatever the strings (Aho & Corasick 1975).
#ifndef JIKJI_ENGINE_STOP_MATCHER_H_
#define JIKJI_ENGINE_STOP_MATCHER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jikji {

// The automaton of a request's stop strings; its choices share it.
class StopStrings {
 public:
  // None may be empty.
  explicit StopStrings(const std::vector<std::string>& strings);

  struct State {
    int32_t node = 0;
  };
  void Advance(State& state, char byte) const;

  // Bytes at the end of the text that begin a stop string.
  size_t Held(State state) const { return nodes_[static_cast<size_t>(state.node)].depth; }
  // The length of the longest stop string that ends here; 0: none.
  size_t Matched(State state) const { return nodes_[static_cast<size_t>(state.node)].matched; }

 private:
  struct Node {
    size_t depth = 0;
    size_t matched = 0;
    int32_t fallback = 0;
    // Children as a list: nodes are few, and most have one.
    int32_t first_child = -1;
    int32_t next_sibling = -1;
    char byte = 0;
  };
  int32_t Child(int32_t node, char byte) const;
  int32_t Insert(int32_t parent, char byte);
  std::vector<Node> nodes_;
};

// One choice's text.
class StopMatcher {
 public:
  explicit StopMatcher(std::shared_ptr<const StopStrings> strings, bool include_match);

  // Takes the next piece; returns the text that is now certain. After a match there is no more.
  std::string Push(std::string_view piece);
  // What was held back.
  std::string Finish();

  // The stop string that matched.
  const std::optional<std::string>& match() const { return match_; }

 private:
  std::shared_ptr<const StopStrings> strings_;
  bool include_match_;
  StopStrings::State state_;
  std::string held_;
  std::optional<std::string> match_;
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_STOP_MATCHER_H_
