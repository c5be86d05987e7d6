// `loop` inside a for: jinja2's LoopContext.
//
// It walks its source lazily and looks one item ahead only when asked to (`loop.last`,
// `loop.nextitem`), so that what a body changes is seen by what comes after it.
#ifndef JIKJI_TEXT_JINJA_LOOP_H_
#define JIKJI_TEXT_JINJA_LOOP_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "text/jinja/runtime.h"

namespace jikji::jinja {

struct LoopObject : CallableObject {
  // `next` gives the items; `sized` is their number where Python knows it, else -1. Both are used
  // only until Finish.
  using NextFn = std::function<bool(Value*)>;
  using RecurseFn = std::function<Value(const Value& iterable)>;
  LoopObject(Runtime& runtime, NextFn next, int64_t sized, RecurseFn recurse, int64_t depth0);

  // Moves to the next item.
  bool Next(Value* item);
  int64_t Length();
  bool Attribute(Runtime& runtime, std::string_view name, Value* value) const override;
  Value Call(Runtime& runtime, Args& args) const override;  // recursion
  std::string_view name() const override { return "loop"; }
  void Clear() override;
  // The loop has ended: what it refers to may go.
  void Finish();

  Value Cycle(const Args& args) const;
  bool Changed(Runtime& runtime, const Args& args);

 private:
  bool Peek();
  Value Read(Runtime& runtime, std::string_view name, bool* known);

  NextFn next_;
  RecurseFn recurse_;
  int64_t sized_;
  const int64_t depth0_;
  int64_t index0_ = -1;
  Value before_, current_, after_;
  bool has_after_ = false;
  std::vector<Value> rest_;  // read ahead, to know the length
  size_t rest_position_ = 0;
  bool read_ahead_ = false;
  std::optional<std::vector<Value>> changed_;
};

inline LoopObject& MutableLoop(const Value& value) {
  return const_cast<LoopObject&>(*static_cast<const LoopObject*>(value.object()));
}

}  // namespace jikji::jinja

#endif  // JIKJI_TEXT_JINJA_LOOP_H_
