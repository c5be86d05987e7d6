#include "text/jinja/loop.h"

#include "text/jinja/objects.h"

namespace jikji::jinja {

LoopObject::LoopObject(Runtime& runtime, NextFn next, int64_t sized, RecurseFn recurse,
                       int64_t depth0)
    : CallableObject(runtime.budget(), 512, 1),
      next_(std::move(next)),
      recurse_(std::move(recurse)),
      sized_(sized),
      depth0_(depth0) {}

bool LoopObject::Next(Value* item) {
  if (!Peek()) return false;
  *item = after_;
  has_after_ = false;
  ++index0_;
  before_ = std::move(current_);
  current_ = std::move(after_);
  after_ = Value();
  return true;
}

bool LoopObject::Peek() {
  if (has_after_) return true;
  if (read_ahead_) {
    if (rest_position_ >= rest_.size()) return false;
    after_ = rest_[rest_position_++];
  } else if (!next_ || !next_(&after_)) {
    return false;
  }
  has_after_ = true;
  return true;
}

int64_t LoopObject::Length() {
  if (sized_ >= 0) return sized_;
  if (!read_ahead_ && next_) {
    for (Value item; next_(&item);) rest_.push_back(std::move(item));
    read_ahead_ = true;
  }
  const auto left = static_cast<int64_t>(rest_.size() - rest_position_);
  sized_ = left + index0_ + 1 + (has_after_ ? 1 : 0);
  return sized_;
}

void LoopObject::Finish() {
  next_ = nullptr;
  recurse_ = nullptr;
}

void LoopObject::Clear() {
  Finish();
  before_ = current_ = after_ = Value();
  rest_.clear();
  changed_.reset();
}

Value LoopObject::Cycle(const Args& args) const {
  if (!args.keyword.empty()) Raise("cycle() takes no keyword arguments");
  if (args.positional.empty()) Raise("no items for cycling given");
  return args.positional[static_cast<size_t>(index0_) % args.positional.size()];
}

bool LoopObject::Changed(Runtime& runtime, const Args& args) {
  if (!args.keyword.empty()) Raise("changed() takes no keyword arguments");
  bool same = changed_ && changed_->size() == args.positional.size();
  for (size_t i = 0; same && i < args.positional.size(); ++i) {
    same = Equal(runtime, (*changed_)[i], args.positional[i]);
  }
  if (!same) changed_ = args.positional;
  return !same;
}

Value LoopObject::Read(Runtime& runtime, std::string_view name, bool* known) {
  *known = true;
  if (name == "index") return Value::Int(index0_ + 1);
  if (name == "index0") return Value::Int(index0_);
  if (name == "first") return Value::Bool(index0_ == 0);
  if (name == "last") return Value::Bool(!Peek());
  if (name == "length") return Value::Int(Length());
  if (name == "revindex") return Value::Int(Length() - index0_);
  if (name == "revindex0") return Value::Int(Length() - index0_ - 1);
  if (name == "depth") return Value::Int(depth0_ + 1);
  if (name == "depth0") return Value::Int(depth0_);
  if (name == "previtem") {
    return index0_ == 0 ? runtime.Undefined("there is no previous item") : before_;
  }
  if (name == "nextitem") return Peek() ? after_ : runtime.Undefined("there is no next item");
  *known = false;
  return Value();
}

bool LoopObject::Attribute(Runtime& runtime, std::string_view name, Value* value) const {
  bool known = false;
  *value = const_cast<LoopObject*>(this)->Read(runtime, name, &known);
  return known;
}

Value LoopObject::Call(Runtime&, Args& args) const {
  if (!recurse_) {
    Raise("The loop must have the 'recursive' marker to be called recursively.");
  }
  const Bound bound(args, "loop", {"iterable"}, 1);
  return recurse_(bound.Get(0));
}

}  // namespace jikji::jinja
