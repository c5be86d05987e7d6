#include "text/jinja/value.h"

namespace jikji::jinja {
namespace {

// Up to here a walk over the keys is as fast as a hash.
constexpr size_t kIndexedDict = 12;

}  // namespace

Value Value::Constant(std::string text) {
  return Value(Type::kString, std::make_shared<StringObject>(nullptr, std::move(text)));
}

bool Value::SameAs(const Value& other) const {
  if (type_ != other.type_) return false;
  if (object_ || other.object_) return object_ == other.object_;
  if (type_ == Type::kFloat) return number_ == other.number_;
  return integer_ == other.integer_;
}

DictObject::DictObject(Budget* budget, std::vector<std::pair<Value, Value>> value, uint32_t depth)
    : Object(budget, value.size() * (2 * sizeof(Value) + 48) + 64, depth),
      entries(std::move(value)) {
  if (entries.size() <= kIndexedDict) return;
  index_.reserve(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].first.IsString()) {
      index_.emplace(entries[i].first.string(), static_cast<uint32_t>(i));
    }
  }
}

const Value* DictObject::Find(std::string_view key) const {
  if (entries.size() > kIndexedDict) {
    auto found = index_.find(key);
    return found == index_.end() ? nullptr : &entries[found->second].second;
  }
  for (const auto& [name, value] : entries) {
    if (name.IsString() && name.string() == key) return &value;
  }
  return nullptr;
}

RangeObject::RangeObject(Budget* budget, int64_t start, int64_t stop, int64_t step)
    : Object(budget, 96, 1), start(start), stop(stop), step(step) {
  // Unsigned: stop - start may not fit an int64_t.
  const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : 0 - static_cast<uint64_t>(step);
  uint64_t span = 0;
  if (step > 0 && start < stop) span = static_cast<uint64_t>(stop) - static_cast<uint64_t>(start);
  if (step < 0 && start > stop) span = static_cast<uint64_t>(start) - static_cast<uint64_t>(stop);
  const uint64_t count = span == 0 ? 0 : (span - 1) / stride + 1;
  length = count > INT64_MAX ? INT64_MAX : static_cast<int64_t>(count);
}

}  // namespace jikji::jinja
