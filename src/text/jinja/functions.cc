// The functions that a template can call by name.
#include <fmt/format.h>

#include <algorithm>

#include "text/jinja/objects.h"
#include "text/jinja/runtime.h"

namespace jikji::jinja {
namespace {

// jinja2's sandbox allows no longer range.
constexpr int64_t kMaxRange = 100'000;

Value RangeFunction(Runtime& runtime, const Args& args) {
  if (!args.keyword.empty()) Raise("range() takes no keyword arguments");
  const Bound bound(args, "range", {"start", "stop", "step"}, 1);
  const bool one = !bound[1];
  const int64_t start = one ? 0 : bound.Integer(0, 0);
  const int64_t stop = bound.Integer(one ? 0 : 1, 0);
  const int64_t step = bound.Integer(2, 1);
  if (step == 0) Raise("range() arg 3 must not be zero");
  Value range = runtime.Range(start, stop, step);
  if (range.range().length > kMaxRange) {
    Raise(fmt::format("Range too big. The sandbox blocks ranges larger than MAX_RANGE ({}).",
                      kMaxRange));
  }
  return range;
}

std::vector<std::pair<Value, Value>> DictEntries(Runtime& runtime, const Args& args,
                                                 const char* function) {
  if (args.positional.size() > 1) {
    Raise(fmt::format("{} expected at most 1 argument, got {}", function, args.positional.size()));
  }
  std::vector<std::pair<Value, Value>> entries;
  if (!args.positional.empty()) {
    const Value& from = args.positional[0];
    if (from.Is(Type::kDict)) {
      entries = from.dict().entries;
    } else {
      Walk walk(runtime, from);
      for (Value pair; walk.Next(&pair);) {
        std::vector<Value> items = ToVector(runtime, pair);
        if (items.size() != 2) {
          Raise(fmt::format("dictionary update sequence element has length {}; 2 is required",
                            items.size()));
        }
        entries.emplace_back(std::move(items[0]), std::move(items[1]));
      }
    }
  }
  for (const auto& [name, value] : args.keyword) {
    entries.emplace_back(runtime.String(std::string(name)), value);
  }
  return entries;
}

Value DictFunction(Runtime& runtime, const Args& args) {
  return runtime.Dict(DictEntries(runtime, args, "dict"));
}

Value NamespaceFunction(Runtime& runtime, const Args& args) {
  const Value dict = runtime.Dict(DictEntries(runtime, args, "namespace"));
  runtime.CheckBytes(128);
  auto object = std::make_shared<NamespaceObject>(runtime.budget());
  runtime.Keep(object);
  for (const auto& [name, value] : dict.dict().entries) {
    if (!name.IsString()) RaiseUnsupported("a namespace with names that are not strings");
    object->attributes.emplace_back(std::string(name.string()), value);
  }
  return Value(Type::kNamespace, std::move(object));
}

Value RaiseFunction(Runtime& runtime, const Args& args) {
  const Bound bound(args, "raise_exception", {"message"}, 1);
  throw Failure{ErrorCode::kInvalidArgument, Str(runtime, bound.Get(0))};
}

Value StrftimeFunction(Runtime& runtime, const Args& args) {
  const Bound bound(args, "strftime_now", {"format"}, 1);
  return runtime.String(Strftime(bound.Text(0), runtime.now()));
}

Value LipsumFunction(Runtime&, const Args&) { RaiseUnsupported("lipsum"); }

struct Cycler : CallableObject {
  Cycler(Runtime& runtime, std::vector<Value> values, uint32_t depth)
      : CallableObject(runtime.budget(), values.size() * sizeof(Value) + 128, depth),
        items(std::move(values)) {}
  Value Call(Runtime&, Args&) const override { Raise("'Cycler' object is not callable"); }
  std::string_view name() const override { return "cycler"; }
  bool callable() const override { return false; }
  bool Attribute(Runtime& runtime, std::string_view attribute, Value* value) const override;

  const std::vector<Value> items;
  mutable size_t position = 0;
};

Value NextOfCycler(Runtime&, const Value& self, const Args&) {
  const auto& cycler = *static_cast<const Cycler*>(self.object());
  const Value& item = cycler.items[cycler.position];
  cycler.position = (cycler.position + 1) % cycler.items.size();
  return item;
}

Value ResetCycler(Runtime&, const Value& self, const Args&) {
  static_cast<const Cycler*>(self.object())->position = 0;
  return Value::None();
}

bool Cycler::Attribute(Runtime& runtime, std::string_view attribute, Value* value) const {
  if (attribute == "current") {
    *value = items[position];
    return true;
  }
  if (attribute == "items") {
    *value = runtime.Tuple(items);
    return true;
  }
  return false;
}

Value CyclerFunction(Runtime& runtime, const Args& args) {
  if (!args.keyword.empty()) Raise("cycler() takes no keyword arguments");
  if (args.positional.empty()) Raise("at least one item has to be provided");
  const uint32_t depth = runtime.DepthOf(args.positional);
  return Value(Type::kCallable, std::make_shared<Cycler>(runtime, args.positional, depth));
}

struct Joiner : CallableObject {
  Joiner(Runtime& runtime, Value separator)
      : CallableObject(runtime.budget(), 128, separator.depth() + 1),
        separator(std::move(separator)) {}
  Value Call(Runtime&, Args&) const override {
    return std::exchange(used, true) ? separator : Value::Constant("");
  }
  std::string_view name() const override { return "joiner"; }

  const Value separator;
  mutable bool used = false;
};

Value JoinerFunction(Runtime& runtime, const Args& args) {
  const Bound bound(args, "joiner", {"sep"});
  Value separator = bound[0] ? bound.Get(0) : runtime.String(", ");
  if (separator.depth() >= runtime.max_depth()) runtime.TooDeep();
  return Value(Type::kCallable, std::make_shared<Joiner>(runtime, std::move(separator)));
}

struct Entry {
  std::string_view name;
  FunctionFn function;
};
constexpr Entry kFunctions[] = {
    {"range", RangeFunction},           {"dict", DictFunction},
    {"namespace", NamespaceFunction},   {"raise_exception", RaiseFunction},
    {"strftime_now", StrftimeFunction}, {"cycler", CyclerFunction},
    {"joiner", JoinerFunction},         {"lipsum", LipsumFunction},
};

struct FunctionObject : CallableObject {
  FunctionObject(Runtime& runtime, const Entry* entry)
      : CallableObject(runtime.budget(), 64, 1), entry(entry) {}
  Value Call(Runtime& runtime, Args& args) const override { return entry->function(runtime, args); }
  std::string_view name() const override { return entry->name; }
  const Entry* const entry;
};

const Entry* FindEntry(std::string_view name) {
  const auto* found = std::ranges::find(kFunctions, name, &Entry::name);
  return found == std::end(kFunctions) ? nullptr : found;
}

}  // namespace

FunctionFn FindFunction(std::string_view name) {
  const Entry* entry = FindEntry(name);
  return entry ? entry->function : nullptr;
}

Value MakeFunction(Runtime& runtime, std::string_view name) {
  return Value(Type::kCallable, std::make_shared<FunctionObject>(runtime, FindEntry(name)));
}

MethodFn FindCallableMethod(const Value& self, std::string_view name) {
  if (static_cast<const CallableObject*>(self.object())->name() != "cycler" ||
      !dynamic_cast<const Cycler*>(self.object())) {
    return nullptr;
  }
  return name == "next" ? NextOfCycler : name == "reset" ? ResetCycler : nullptr;
}

}  // namespace jikji::jinja
