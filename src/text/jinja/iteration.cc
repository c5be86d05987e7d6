// Walking over what Python iterates over.
#include <fmt/format.h>

#include "text/jinja/loop.h"
#include "text/jinja/objects.h"
#include "text/jinja/runtime.h"
#include "text/jinja/unicode.h"

namespace jikji::jinja {

bool IsIterable(const Value& value) {
  switch (value.type()) {
    case Type::kUndefined:
    case Type::kString:
    case Type::kList:
    case Type::kTuple:
    case Type::kDict:
    case Type::kView:
    case Type::kRange:
    case Type::kIterator:
    case Type::kLoop:
      return true;
    default:
      return false;
  }
}

Walk::Walk(Runtime& runtime, Value value) : runtime_(runtime), value_(std::move(value)) {
  if (!IsIterable(value_)) Raise(fmt::format("'{}' object is not iterable", TypeName(value_)));
  if (value_.Is(Type::kLoop)) RaiseUnsupported("iterating over a loop");
  if (!value_.Is(Type::kIterator)) sized_ = Length(runtime, value_);
}

bool Walk::Next(Value* item) {
  runtime_.Step();
  switch (value_.type()) {
    case Type::kString: {
      const auto text = value_.string();
      if (position_ >= text.size()) return false;
      const size_t bytes = CharBytes(text[position_]);
      *item = runtime_.String(std::string(text.substr(position_, bytes)));
      position_ += bytes;
      return true;
    }
    case Type::kList:
    case Type::kTuple:
    case Type::kView:
      if (position_ >= value_.items().size()) return false;
      *item = value_.items()[position_++];
      return true;
    case Type::kDict:
      if (position_ >= value_.dict().entries.size()) return false;
      *item = value_.dict().entries[position_++].first;
      return true;
    case Type::kRange:
      if (static_cast<int64_t>(position_) >= value_.range().length) return false;
      *item = Value::Int(value_.range().At(static_cast<int64_t>(position_++)));
      return true;
    case Type::kIterator: {
      IteratorObject& iterator = MutableIterator(value_);
      if (iterator.position >= iterator.items.size()) {
        if (!iterator.failure) return false;
        // A generator that failed is over.
        Failure failure = std::move(*iterator.failure);
        iterator.failure.reset();
        throw failure;
      }
      *item = iterator.items[iterator.position++];
      return true;
    }
    default:
      return false;
  }
}

std::vector<Value> ToVector(Runtime& runtime, const Value& value) {
  if (value.Is(Type::kList) || value.Is(Type::kTuple) || value.Is(Type::kView)) {
    runtime.Step(1 + value.items().size() / 8);
    runtime.CheckBytes(value.items().size() * sizeof(Value));
    return value.items();
  }
  Walk walk(runtime, value);
  std::vector<Value> items;
  if (walk.sized() > 0) {
    runtime.CheckBytes(static_cast<size_t>(walk.sized()) * sizeof(Value));
    items.reserve(static_cast<size_t>(walk.sized()));
  }
  for (Value item; walk.Next(&item);) items.push_back(std::move(item));
  return items;
}

int64_t Length(Runtime& runtime, const Value& value) {
  switch (value.type()) {
    case Type::kUndefined:
      return 0;
    case Type::kString:
      runtime.StepBytes(value.string().size());
      return static_cast<int64_t>(CountChars(value.string()));
    case Type::kList:
    case Type::kTuple:
    case Type::kView:
      return static_cast<int64_t>(value.items().size());
    case Type::kDict:
      return static_cast<int64_t>(value.dict().entries.size());
    case Type::kRange:
      return value.range().length;
    case Type::kLoop:
      return MutableLoop(value).Length();
    default:
      Raise(fmt::format("object of type '{}' has no len()", TypeName(value)));
  }
}

}  // namespace jikji::jinja
