// Attributes, subscripts and slices, with jinja2's order of fallbacks and its sandbox.
#include <fmt/format.h>

#include <algorithm>

#include "text/jinja/loop.h"
#include "text/jinja/objects.h"
#include "text/jinja/runtime.h"
#include "text/jinja/unicode.h"

namespace jikji::jinja {
namespace {

// What would change a list or a dict: the sandbox refuses to hand it out.
bool IsMutator(const Value& object, std::string_view name) {
  static constexpr std::string_view kList[] = {"append", "clear", "pop",    "reverse",
                                               "insert", "sort",  "extend", "remove"};
  static constexpr std::string_view kDict[] = {"clear", "pop", "popitem", "setdefault", "update"};
  if (object.Is(Type::kList)) return std::ranges::find(kList, name) != std::end(kList);
  if (object.Is(Type::kDict)) return std::ranges::find(kDict, name) != std::end(kDict);
  return false;
}

// What Python has and this interpreter has not: an error, since undefined would be wrong.
bool IsUnsupportedAttribute(const Value& object, std::string_view name) {
  static constexpr std::string_view kString[] = {
      "casefold",  "encode",      "expandtabs", "format_map", "isidentifier",
      "isnumeric", "isprintable", "istitle",    "maketrans",  "translate"};
  static constexpr std::string_view kNumber[] = {
      "as_integer_ratio", "bit_count",   "bit_length", "conjugate", "denominator",
      "from_bytes",       "from_number", "fromhex",    "hex",       "imag",
      "is_integer",       "numerator",   "real",       "to_bytes"};
  if (object.IsString()) return std::ranges::find(kString, name) != std::end(kString);
  if (object.IsNumber()) return std::ranges::find(kNumber, name) != std::end(kNumber);
  if (object.Is(Type::kDict)) return name == "fromkeys";
  if (object.Is(Type::kView)) return name == "mapping" || name == "isdisjoint";
  if (object.Is(Type::kRange)) return name == "count" || name == "index";
  return false;
}

bool IsDunder(std::string_view name) {
  return name.size() > 4 && name.starts_with("__") && name.ends_with("__");
}

// The names that every object has; others with underscores may be keys.
bool EveryObjectHas(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "__class__",   "__delattr__", "__dir__",           "__doc__",         "__eq__",
      "__format__",  "__ge__",      "__getattribute__",  "__getstate__",    "__gt__",
      "__hash__",    "__init__",    "__init_subclass__", "__le__",          "__lt__",
      "__ne__",      "__new__",     "__reduce__",        "__reduce_ex__",   "__repr__",
      "__setattr__", "__sizeof__",  "__str__",           "__subclasshook__"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

Value Unsafe(Runtime& runtime, const Value& object, std::string_view name) {
  return runtime.Undefined(fmt::format("access to attribute {} of '{}' object is unsafe.",
                                       ReprString(name), TypeName(object)));
}

// getattr(object, name); false where Python would raise AttributeError.
bool PythonAttribute(Runtime& runtime, const Value& object, std::string_view name, Value* value) {
  if (name.starts_with("_")) {
    if (object.Is(Type::kNamespace)) {
      for (const auto& [key, item] : MutableNamespace(object).attributes) {
        if (key == name) {
          *value = Unsafe(runtime, object, name);
          return true;
        }
      }
    }
    const bool may_be_key = object.Is(Type::kDict) && !EveryObjectHas(name);
    if (!IsDunder(name) || may_be_key) return false;
    *value = Unsafe(runtime, object, name);
    return true;
  }
  if (object.Is(Type::kNamespace)) {
    for (const auto& [key, item] : MutableNamespace(object).attributes) {
      if (key == name) {
        *value = item;
        return true;
      }
    }
    return false;
  }
  if (IsMutator(object, name)) {
    *value = Unsafe(runtime, object, name);
    return true;
  }
  if (object.Is(Type::kLoop) || object.Is(Type::kCallable)) {
    if (static_cast<const CallableObject*>(object.object())->Attribute(runtime, name, value)) {
      return true;
    }
  }
  if (object.Is(Type::kRange)) {
    const auto& range = object.range();
    if (name == "start" || name == "stop" || name == "step") {
      *value = Value::Int(name == "start" ? range.start : name == "stop" ? range.stop : range.step);
      return true;
    }
  }
  if (object.Is(Type::kTuple) && (name == "grouper" || name == "list") &&
      std::string_view(static_cast<const SequenceObject*>(object.object())->name) == "group") {
    *value = object.items()[name == "list" ? 1 : 0];
    return true;
  }
  if (MethodFn method = FindMethod(object, name)) {
    *value = Value(Type::kCallable, std::make_shared<MethodObject>(runtime.budget(), object,
                                                                   std::string(name), method));
    return true;
  }
  if (IsUnsupportedAttribute(object, name)) {
    RaiseUnsupported(fmt::format("'{}' of a {}", name, TypeName(object)));
  }
  return false;
}

// object[key]; false where Python would raise TypeError or LookupError.
bool PythonItem(Runtime& runtime, const Value& object, const Value& key, Value* value) {
  switch (object.type()) {
    case Type::kDict: {
      if (key.Is(Type::kList) || key.Is(Type::kDict)) return false;
      const Value* found = DictGet(runtime, object, key);
      if (!found) return false;
      *value = *found;
      return true;
    }
    case Type::kList:
    case Type::kTuple:
    case Type::kRange:
    case Type::kString: {
      if (!key.IsInteger()) return false;
      const int64_t length = Length(runtime, object);
      int64_t index = key.integer();
      if (index < 0) index += length;
      if (index < 0 || index >= length) return false;
      if (object.Is(Type::kRange)) {
        *value = Value::Int(object.range().At(index));
      } else if (object.IsString()) {
        const auto text = object.string();
        const size_t at = ByteOffset(text, static_cast<size_t>(index));
        *value =
            runtime.String(std::string(text.substr(at, CharBytes(text[at]))), object.IsMarkup());
      } else {
        *value = object.items()[static_cast<size_t>(index)];
      }
      return true;
    }
    default:
      return false;
  }
}

// A part of a slice, as Python's slice.indices gives it.
int64_t SliceIndex(const Value* part, int64_t length, int64_t low, int64_t high,
                   int64_t otherwise) {
  if (!part || part->IsNone()) return otherwise;
  RequireDefined(*part);
  if (!part->IsInteger()) {
    Raise("slice indices must be integers or None or have an __index__ method");
  }
  int64_t index = part->integer();
  if (index < 0) index = index < -length ? -1 : index + length;
  return std::clamp(index, low, high);
}

Value SliceString(Runtime& runtime, const Value& object, int64_t start, int64_t count,
                  int64_t step) {
  const auto text = object.string();
  runtime.StepBytes(text.size());
  std::string out;
  if (count > 0 && step == 1) {
    const size_t from = ByteOffset(text, static_cast<size_t>(start));
    const size_t bytes = ByteOffset(text.substr(from), static_cast<size_t>(count));
    out = text.substr(from, bytes);
  } else if (count > 0) {
    runtime.CheckBytes(CountChars(text) * 4);
    std::vector<uint32_t> offsets;
    for (size_t at = 0; at < text.size(); at += CharBytes(text[at])) {
      offsets.push_back(static_cast<uint32_t>(at));
    }
    for (int64_t i = 0; i < count; ++i) {
      const size_t at = offsets[static_cast<size_t>(start + i * step)];
      out += text.substr(at, CharBytes(text[at]));
    }
  }
  return runtime.String(std::move(out), object.IsMarkup());
}

}  // namespace

Value GetAttribute(Runtime& runtime, const Value& object, std::string_view name) {
  if (object.IsUndefined()) {
    if (EveryObjectHas(name)) return Unsafe(runtime, object, name);
    RequireDefined(object);
  }
  Value value;
  if (PythonAttribute(runtime, object, name, &value)) return value;
  if (object.Is(Type::kDict)) {
    if (const Value* found = object.dict().Find(name)) return *found;
  }
  return runtime.UndefinedAttribute(object, name);
}

Value GetItem(Runtime& runtime, const Value& object, const Value& key) {
  RequireDefined(object);
  Value value;
  if (PythonItem(runtime, object, key, &value)) return value;
  if (key.IsString()) {
    if (PythonAttribute(runtime, object, key.string(), &value)) return value;
    return runtime.UndefinedAttribute(object, key.string());
  }
  const std::string owner = object.IsNone() ? "None" : fmt::format("{} object", TypeName(object));
  return runtime.Undefined(fmt::format("{} has no element {}", owner, Repr(runtime, key)));
}

Value GetSlice(Runtime& runtime, const Value& object, const Value* start, const Value* stop,
               const Value* step) {
  RequireDefined(object);
  if (!object.IsString() && !object.Is(Type::kList) && !object.Is(Type::kTuple) &&
      !object.Is(Type::kRange)) {
    Raise(fmt::format("'{}' object cannot be sliced", TypeName(object)));
  }
  int64_t stride = 1;
  if (step && !step->IsNone()) {
    RequireDefined(*step);
    if (!step->IsInteger()) {
      Raise("slice indices must be integers or None or have an __index__ method");
    }
    stride = step->integer();
    if (stride == 0) Raise("slice step cannot be zero");
    // A longer stride takes the same single item, and cannot overflow.
    stride = std::clamp<int64_t>(stride, -(int64_t{1} << 40), int64_t{1} << 40);
  }
  const int64_t length = Length(runtime, object);
  const int64_t low = stride < 0 ? -1 : 0;
  const int64_t high = stride < 0 ? length - 1 : length;
  const int64_t first = SliceIndex(start, length, low, high, stride < 0 ? high : low);
  const int64_t last = SliceIndex(stop, length, low, high, stride < 0 ? low : high);
  int64_t count = 0;
  if (stride > 0 && first < last) count = (last - first - 1) / stride + 1;
  if (stride < 0 && first > last) count = (first - last - 1) / -stride + 1;
  if (object.IsString()) return SliceString(runtime, object, first, count, stride);
  if (object.Is(Type::kRange)) {
    const auto& range = object.range();
    // What slicing leaves lies inside the range; only its bounds may not fit.
    int64_t from = 0, to = 0, pace = 0;
    if (__builtin_mul_overflow(first, range.step, &from) ||
        __builtin_add_overflow(from, range.start, &from) ||
        __builtin_mul_overflow(last, range.step, &to) ||
        __builtin_add_overflow(to, range.start, &to) ||
        __builtin_mul_overflow(range.step, stride, &pace)) {
      RaiseOverflow();
    }
    return runtime.Range(from, to, pace);
  }
  runtime.CheckBytes(static_cast<size_t>(count) * sizeof(Value));
  std::vector<Value> items;
  items.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    items.push_back(object.items()[static_cast<size_t>(first + i * stride)]);
  }
  return runtime.Sequence(object.type(), std::move(items));
}

}  // namespace jikji::jinja
