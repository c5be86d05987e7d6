// Objects that change while a template runs.
#ifndef JIKJI_TEXT_JINJA_OBJECTS_H_
#define JIKJI_TEXT_JINJA_OBJECTS_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja/runtime.h"

namespace jikji::jinja {

struct IteratorObject : Object {
  IteratorObject(Budget* budget, std::vector<Value> value, uint32_t depth)
      : Object(budget, value.size() * sizeof(Value) + 96, depth), items(std::move(value)) {}
  std::vector<Value> items;
  size_t position = 0;
  // What goes wrong when the items are used up: lazy filters fail where they are walked.
  std::optional<Failure> failure;
};

inline IteratorObject& MutableIterator(const Value& value) {
  return const_cast<IteratorObject&>(*static_cast<const IteratorObject*>(value.object()));
}

inline NamespaceObject& MutableNamespace(const Value& value) {
  return const_cast<NamespaceObject&>(*static_cast<const NamespaceObject*>(value.object()));
}

// `object.method`, not called yet.
struct MethodObject : CallableObject {
  MethodObject(Budget* budget, Value receiver, std::string method, MethodFn function)
      : CallableObject(budget, 160, receiver.depth() + 1),
        self(std::move(receiver)),
        method(std::move(method)),
        function(function) {}
  Value Call(Runtime& runtime, Args& args) const override { return function(runtime, self, args); }
  std::string_view name() const override { return method; }

  const Value self;
  const std::string method;
  const MethodFn function;
};

}  // namespace jikji::jinja

#endif  // JIKJI_TEXT_JINJA_OBJECTS_H_
