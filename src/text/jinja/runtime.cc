#include "text/jinja/runtime.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/jinja/objects.h"

namespace jikji::jinja {

void Raise(std::string message) { throw Failure{ErrorCode::kInvalidArgument, std::move(message)}; }

void RaiseOverflow() { RaiseUnsupported("an integer beyond 64 bits"); }

void RaiseUnsupported(std::string what) {
  throw Failure{ErrorCode::kUnsupported, std::move(what) + " is not supported in templates"};
}

Runtime::~Runtime() {
  // Each is held here, so emptying one never destroys another: the stack stays flat.
  for (const auto& object : namespaces_) object->attributes.clear();
  for (const auto& object : callables_) object->Clear();
}

void Runtime::StepsExhausted() const {
  throw Failure{ErrorCode::kResourceExhausted,
                fmt::format("the template takes more than {} steps", limits_.max_steps)};
}

void Runtime::BytesExhausted() const {
  throw Failure{ErrorCode::kResourceExhausted,
                fmt::format("the template needs more than {} bytes", limits_.max_output)};
}

void Runtime::TooDeep() const {
  throw Failure{ErrorCode::kResourceExhausted,
                fmt::format("the template nests deeper than {} levels", limits_.max_depth)};
}

Value Runtime::String(std::string text, bool markup) {
  CheckBytes(text.size() + 64);
  StepBytes(text.size());
  return Value(Type::kString, std::make_shared<StringObject>(&budget_, std::move(text)), markup);
}

uint32_t Runtime::DepthOf(const std::vector<Value>& items) const {
  uint32_t depth = 0;
  for (const Value& item : items) depth = std::max(depth, item.depth());
  if (depth >= limits_.max_depth) TooDeep();
  return depth + 1;
}

Value Runtime::Sequence(Type type, std::vector<Value> items, const char* name) {
  Step(1 + items.size() / 8);
  CheckBytes(items.size() * sizeof(Value) + 64);
  const uint32_t depth = DepthOf(items);
  return Value(type, std::make_shared<SequenceObject>(&budget_, std::move(items), depth, name));
}

Value Runtime::Iterator(std::vector<Value> items) {
  Step(1 + items.size() / 8);
  CheckBytes(items.size() * sizeof(Value) + 96);
  const uint32_t depth = DepthOf(items);
  return Value(Type::kIterator,
               std::make_shared<IteratorObject>(&budget_, std::move(items), depth));
}

Value Runtime::Iterator(std::vector<Value> items, Failure failure) {
  Value result = Iterator(std::move(items));
  MutableIterator(result).failure = std::move(failure);
  return result;
}

Value Runtime::Range(int64_t start, int64_t stop, int64_t step) {
  return Value(Type::kRange, std::make_shared<RangeObject>(&budget_, start, stop, step));
}

Value Runtime::Dict(std::vector<std::pair<Value, Value>> entries) {
  Step(1 + entries.size() / 4);
  CheckBytes(entries.size() * (2 * sizeof(Value) + 48) + 64);
  std::vector<std::pair<Value, Value>> unique;
  unique.reserve(entries.size());
  std::unordered_map<std::string_view, size_t> places;  // of string keys; the rest are walked
  std::vector<size_t> others;
  uint32_t depth = 0;
  for (auto& [key, value] : entries) {
    RequireHashable(key);
    depth = std::max({depth, key.depth(), value.depth()});
    size_t place = unique.size();
    if (key.IsString()) {
      place = places.emplace(key.string(), place).first->second;
    } else {
      for (size_t other : others) {
        if (!Equal(*this, unique[other].first, key)) continue;
        place = other;
        break;
      }
      if (place == unique.size()) others.push_back(place);
    }
    if (place < unique.size()) {
      unique[place].second = std::move(value);
    } else {
      unique.emplace_back(std::move(key), std::move(value));
    }
  }
  if (depth >= limits_.max_depth) TooDeep();
  return Value(Type::kDict, std::make_shared<DictObject>(&budget_, std::move(unique), depth + 1));
}

Value Runtime::Undefined(std::string message) {
  CheckBytes(message.size());
  return Value(Type::kUndefined, std::make_shared<UndefinedObject>(&budget_, std::move(message)));
}

Value Runtime::UndefinedAttribute(const Value& object, std::string_view name) {
  const std::string owner = object.IsNone() ? "None" : fmt::format("{} object", TypeName(object));
  return Undefined(fmt::format("'{}' has no attribute {}", owner, ReprString(name)));
}

Bound::Bound(const Args& args, std::string_view function, std::initializer_list<const char*> names,
             size_t required)
    : function_(function) {
  if (args.positional.size() > names.size()) {
    Raise(fmt::format("{}() takes at most {} arguments ({} given)", function, names.size(),
                      args.positional.size()));
  }
  for (size_t i = 0; i < args.positional.size(); ++i) values_[i] = &args.positional[i];
  for (const auto& [name, value] : args.keyword) {
    const auto* found = std::ranges::find(names, name);
    if (found == names.end()) {
      Raise(fmt::format("{}() got an unexpected keyword argument '{}'", function, name));
    }
    const auto index = static_cast<size_t>(found - names.begin());
    if (values_[index]) {
      Raise(fmt::format("{}() got multiple values for argument '{}'", function, name));
    }
    values_[index] = &value;
  }
  for (size_t i = 0; i < required; ++i) {
    if (!values_[i]) {
      Raise(fmt::format("{}() missing a required argument: '{}'", function, names.begin()[i]));
    }
  }
}

bool Bound::Flag(size_t index, bool otherwise) const {
  return values_[index] ? Truth(*values_[index]) : otherwise;
}

int64_t Bound::Integer(size_t index, int64_t otherwise) const {
  if (!values_[index]) return otherwise;
  RequireDefined(*values_[index]);
  if (!values_[index]->IsInteger()) {
    Raise(fmt::format("{}(): '{}' object cannot be interpreted as an integer", function_,
                      TypeName(*values_[index])));
  }
  return values_[index]->integer();
}

std::string_view Bound::Text(size_t index, std::string_view otherwise) const {
  if (!values_[index]) return otherwise;
  RequireDefined(*values_[index]);
  if (!values_[index]->IsString()) {
    Raise(fmt::format("{}() argument must be str, not {}", function_, TypeName(*values_[index])));
  }
  return values_[index]->string();
}

}  // namespace jikji::jinja
