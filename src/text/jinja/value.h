// The values that a template computes with: Python's, as far as chat templates meet them.
//
// Immutable and shared, but for a namespace, a loop, an iterator, a cycler and a joiner, which
// change as they do in jinja2. Strings are UTF-8; every position and length that a template sees
// counts code points. Integers are int64_t: what would not fit is an error, not a wrap.
//
// Every object that a render makes is counted in its Budget while it lives, and knows how deep it
// is nested, so that neither memory nor the stack can be run out of. Non-goals: arbitrary
// precision, user-defined types.
#ifndef JIKJI_TEXT_JINJA_VALUE_H_
#define JIKJI_TEXT_JINJA_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace jikji::jinja {

class Runtime;

enum class Type : uint8_t {
  kUndefined,
  kNone,
  kBool,
  kInt,
  kFloat,
  kString,
  kList,
  kTuple,
  kDict,
  kView,  // dict.keys(), .values(), .items()
  kRange,
  kIterator,  // what a lazy filter returns: can be walked once
  kNamespace,
  kLoop,
  kCallable,  // functions, methods, macros, cyclers, joiners
};

// Live bytes of one render.
struct Budget {
  size_t live = 0;
};

class Object {
 public:
  Object(Budget* budget, size_t bytes, uint32_t depth)
      : depth(depth), budget_(budget), bytes_(bytes) {
    if (budget_) budget_->live += bytes_;
  }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  virtual ~Object() {
    if (budget_) budget_->live -= bytes_;
  }

  const uint32_t depth;  // 1 + the deepest object inside

 private:
  Budget* budget_;
  size_t bytes_;
};

struct StringObject;
struct SequenceObject;
struct DictObject;
struct RangeObject;
struct UndefinedObject;

class Value {
 public:
  Value() = default;  // undefined, with no name
  static Value None() { return Value(Type::kNone); }
  static Value Bool(bool value) {
    Value result(Type::kBool);
    result.integer_ = value;
    return result;
  }
  static Value Int(int64_t value) {
    Value result(Type::kInt);
    result.integer_ = value;
    return result;
  }
  static Value Float(double value) {
    Value result(Type::kFloat);
    result.number_ = value;
    return result;
  }
  Value(Type type, std::shared_ptr<const Object> object, bool markup = false)
      : object_(std::move(object)), type_(type), markup_(markup) {}
  // A string that lives with the program, outside any budget.
  static Value Constant(std::string text);

  Type type() const { return type_; }
  bool Is(Type type) const { return type_ == type; }
  bool IsString() const { return type_ == Type::kString; }
  bool IsUndefined() const { return type_ == Type::kUndefined; }
  bool IsNone() const { return type_ == Type::kNone; }
  // bool is a kind of int, as in Python.
  bool IsInteger() const { return type_ == Type::kInt || type_ == Type::kBool; }
  bool IsNumber() const { return IsInteger() || type_ == Type::kFloat; }
  // A string that `safe` or `escape` marked as HTML.
  bool IsMarkup() const { return markup_; }

  bool boolean() const { return integer_ != 0; }
  int64_t integer() const { return integer_; }
  double number() const { return type_ == Type::kFloat ? number_ : static_cast<double>(integer_); }
  std::string_view string() const;
  // The items of a list, tuple, view or group.
  const std::vector<Value>& items() const;
  const DictObject& dict() const;
  const RangeObject& range() const;
  const UndefinedObject* undefined() const;

  const Object* object() const { return object_.get(); }
  const std::shared_ptr<const Object>& shared() const { return object_; }
  uint32_t depth() const { return object_ ? object_->depth : 0; }

  // The same object, or the same simple value: Python's `is`.
  bool SameAs(const Value& other) const;

 private:
  explicit Value(Type type) : type_(type) {}

  std::shared_ptr<const Object> object_;
  union {
    int64_t integer_ = 0;
    double number_;
  };
  Type type_ = Type::kUndefined;
  bool markup_ = false;
};

struct StringObject : Object {
  StringObject(Budget* budget, std::string value)
      : Object(budget, value.size() + 64, 0), text(std::move(value)) {}
  const std::string text;
};

// Why a value is undefined: what is said when it is used.
struct UndefinedObject : Object {
  UndefinedObject(Budget* budget, std::string value)
      : Object(budget, value.size() + 64, 0), message(std::move(value)) {}
  const std::string message;
};

struct SequenceObject : Object {
  SequenceObject(Budget* budget, std::vector<Value> value, uint32_t depth, const char* name = "")
      : Object(budget, value.size() * sizeof(Value) + 64, depth),
        items(std::move(value)),
        name(name) {}
  const std::vector<Value> items;
  const char* const name;  // "dict_keys", ... of a view; "group" of what groupby makes
};

// Keeps the order of insertion. Keys are hashable values; 1, 1.0 and true are one key.
struct DictObject : Object {
  DictObject(Budget* budget, std::vector<std::pair<Value, Value>> value, uint32_t depth);
  // nullptr where there is none.
  const Value* Find(std::string_view key) const;

  const std::vector<std::pair<Value, Value>> entries;

 private:
  // Only where a walk would be slow.
  std::unordered_map<std::string_view, uint32_t> index_;
};

struct RangeObject : Object {
  RangeObject(Budget* budget, int64_t start, int64_t stop, int64_t step);
  const int64_t start, stop, step;
  int64_t length = 0;
  int64_t At(int64_t index) const { return start + index * step; }
};

struct NamespaceObject : Object {
  explicit NamespaceObject(Budget* budget) : Object(budget, 128, 1) {}
  std::vector<std::pair<std::string, Value>> attributes;
};

inline std::string_view Value::string() const {
  return static_cast<const StringObject*>(object_.get())->text;
}
inline const std::vector<Value>& Value::items() const {
  return static_cast<const SequenceObject*>(object_.get())->items;
}
inline const DictObject& Value::dict() const {
  return *static_cast<const DictObject*>(object_.get());
}
inline const RangeObject& Value::range() const {
  return *static_cast<const RangeObject*>(object_.get());
}
inline const UndefinedObject* Value::undefined() const {
  return static_cast<const UndefinedObject*>(object_.get());
}

// The arguments of one call, evaluated.
struct Args {
  std::vector<Value> positional;
  std::vector<std::pair<std::string_view, Value>> keyword;
  Value keepalive;  // owns the names that came with `**`
};

// What can be called. `Call` may throw Failure.
struct CallableObject : Object {
  using Object::Object;
  virtual Value Call(Runtime& runtime, Args& args) const = 0;
  virtual std::string_view name() const = 0;
  // Attributes of its own (macro.name); nullptr where there is none.
  virtual bool Attribute(Runtime&, std::string_view, Value*) const { return false; }
  virtual bool callable() const { return true; }
  // Drops what it holds, so that cycles end with the render.
  virtual void Clear() {}
};

}  // namespace jikji::jinja

#endif  // JIKJI_TEXT_JINJA_VALUE_H_
