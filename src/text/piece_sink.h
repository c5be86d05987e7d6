// What a pre-tokenizer gives its pieces to.
#ifndef JIKJI_TEXT_PIECE_SINK_H_
#define JIKJI_TEXT_PIECE_SINK_H_

#include <string_view>

namespace jikji {

class PieceSink {
 public:
  virtual ~PieceSink() = default;
  // `piece` is not empty and lives only during the call. `at_start`: it begins the whole text.
  virtual void Take(std::string_view piece, bool at_start) = 0;
};

}  // namespace jikji

#endif  // JIKJI_TEXT_PIECE_SINK_H_
