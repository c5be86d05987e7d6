// The methods of dict, list, tuple, and of a loop.
#include <fmt/format.h>

#include <algorithm>

#include "text/jinja/loop.h"
#include "text/jinja/objects.h"
#include "text/jinja/runtime.h"

namespace jikji::jinja {
namespace {

template <int kPart>
Value View(Runtime& runtime, const Value& self, const Args& args) {
  static constexpr const char* kNames[] = {"dict_keys", "dict_values", "dict_items"};
  const Bound bound(args, "view", {});
  const auto& entries = self.dict().entries;
  runtime.CheckBytes(entries.size() * 3 * sizeof(Value));
  std::vector<Value> items;
  items.reserve(entries.size());
  for (const auto& [key, value] : entries) {
    items.push_back(kPart == 0 ? key : kPart == 1 ? value : runtime.Tuple({key, value}));
  }
  return runtime.Sequence(Type::kView, std::move(items), kNames[kPart]);
}

Value Get(Runtime& runtime, const Value& self, const Args& args) {
  if (!args.keyword.empty()) Raise("dict.get() takes no keyword arguments");
  const Bound bound(args, "get", {"key", "default"}, 1);
  RequireHashable(bound.Get(0));
  runtime.Step();
  if (const Value* found = DictGet(runtime, self, bound.Get(0))) return *found;
  return bound[1] ? bound.Get(1) : Value::None();
}

Value Copy(Runtime&, const Value& self, const Args& args) {
  const Bound bound(args, "copy", {});
  return self;
}

Value Count(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "count", {"value"}, 1);
  int64_t count = 0;
  for (const Value& item : self.items()) {
    if (item.SameAs(bound.Get(0)) || Equal(runtime, item, bound.Get(0))) ++count;
  }
  return Value::Int(count);
}

Value Index(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "index", {"value", "start", "stop"}, 1);
  const auto& items = self.items();
  const auto size = static_cast<int64_t>(items.size());
  auto place = [&](size_t index, int64_t otherwise) {
    const int64_t at = bound.Integer(index, otherwise);
    return at < 0 ? (at < -size ? 0 : at + size) : std::min(at, size);
  };
  const int64_t stop = place(2, size);
  for (int64_t i = place(1, 0); i < stop; ++i) {
    const Value& item = items[static_cast<size_t>(i)];
    if (item.SameAs(bound.Get(0)) || Equal(runtime, item, bound.Get(0))) return Value::Int(i);
  }
  Raise(fmt::format("{} is not in {}", Repr(runtime, bound.Get(0)), TypeName(self)));
}

Value LoopCycle(Runtime&, const Value& self, const Args& args) {
  return MutableLoop(self).Cycle(args);
}

Value LoopChanged(Runtime& runtime, const Value& self, const Args& args) {
  return Value::Bool(MutableLoop(self).Changed(runtime, args));
}

}  // namespace

MethodFn FindCollectionMethod(const Value& self, std::string_view name) {
  if (self.Is(Type::kDict)) {
    if (name == "items") return View<2>;
    if (name == "keys") return View<0>;
    if (name == "values") return View<1>;
    if (name == "get") return Get;
    if (name == "copy") return Copy;
  }
  if (self.Is(Type::kList) || self.Is(Type::kTuple)) {
    if (name == "count") return Count;
    if (name == "index") return Index;
    if (name == "copy" && self.Is(Type::kList)) return Copy;
  }
  if (self.Is(Type::kLoop)) {
    if (name == "cycle") return LoopCycle;
    if (name == "changed") return LoopChanged;
  }
  return nullptr;
}

MethodFn FindMethod(const Value& self, std::string_view name) {
  if (self.IsString()) return FindStringMethod(name);
  if (self.Is(Type::kCallable)) return FindCallableMethod(self, name);
  return FindCollectionMethod(self, name);
}

}  // namespace jikji::jinja
