// Filters over sequences. Those that are lazy in jinja2 give an iterator that can be walked once
// and that fails, if it must, where it is walked.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "text/jinja/objects.h"
#include "text/jinja/runtime.h"
#include "text/jinja/unicode.h"

namespace jikji::jinja {
namespace {

using Getter = std::function<Value(const Value&)>;

Value IgnoreCase(Runtime& runtime, const Value& value) {
  return value.IsString() ? runtime.String(ToLower(value.string())) : value;
}

// "a.0.b": what stands between the dots, numbers as such.
std::vector<Value> AttributePath(Runtime& runtime, std::string_view text) {
  std::vector<Value> parts;
  while (true) {
    const size_t dot = text.find('.');
    const auto part = text.substr(0, dot);
    const bool number = !part.empty() && part.size() < 10 &&
                        std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
    parts.push_back(number ? Value::Int(std::stoll(std::string(part)))
                           : runtime.String(std::string(part)));
    if (dot == std::string_view::npos) return parts;
    text.remove_prefix(dot + 1);
  }
}

// What an `attribute` argument reads of an item. `otherwise`: in place of an undefined one.
Getter AttributeGetter(Runtime& runtime, const Value* attribute, bool ignore_case = false,
                       const Value* otherwise = nullptr) {
  std::vector<Value> path;
  if (attribute && attribute->IsString()) {
    path = AttributePath(runtime, attribute->string());
  } else if (attribute && !attribute->IsNone()) {
    path.push_back(*attribute);
  }
  const bool replace = otherwise && !otherwise->IsNone();
  return [&runtime, path, ignore_case, replace,
          other = replace ? *otherwise : Value()](const Value& item) {
    Value value = item;
    for (const Value& part : path) {
      value = GetItem(runtime, value, part);
      if (replace && value.IsUndefined()) value = other;
    }
    return ignore_case ? IgnoreCase(runtime, value) : value;
  };
}

// sort's attribute may name several, by commas.
Getter SortKey(Runtime& runtime, const Value* attribute, bool ignore_case) {
  if (!attribute || !attribute->IsString() ||
      attribute->string().find(',') == std::string_view::npos) {
    return AttributeGetter(runtime, attribute, ignore_case);
  }
  std::vector<Getter> getters;
  std::string_view text = attribute->string();
  while (true) {
    const size_t comma = text.find(',');
    const Value one = runtime.String(std::string(text.substr(0, comma)));
    getters.push_back(AttributeGetter(runtime, &one, ignore_case));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return [&runtime, getters](const Value& item) {
    std::vector<Value> keys;
    for (const Getter& getter : getters) keys.push_back(getter(item));
    return runtime.List(std::move(keys));
  };
}

struct Keyed {
  Value key, item;
};

std::vector<Keyed> SortedBy(Runtime& runtime, const Value& input, const Getter& key, bool reverse) {
  std::vector<Keyed> keyed;
  for (Value& item : ToVector(runtime, input)) {
    Value of = key(item);
    keyed.push_back({std::move(of), std::move(item)});
  }
  std::ranges::stable_sort(keyed, [&](const Keyed& a, const Keyed& b) {
    return reverse ? Less(runtime, b.key, a.key) : Less(runtime, a.key, b.key);
  });
  return keyed;
}

// Runs `make`, which appends to the items it is given, and keeps a failure for later.
Value Lazily(Runtime& runtime, const std::function<void(std::vector<Value>&)>& make) {
  std::vector<Value> items;
  try {
    make(items);
  } catch (Failure& failure) {
    if (failure.code == ErrorCode::kResourceExhausted) throw;
    return runtime.Iterator(std::move(items), std::move(failure));
  }
  return runtime.Iterator(std::move(items));
}

Value LengthFilter(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "length", {});
  return Value::Int(Length(runtime, input));
}

Value First(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "first", {});
  Walk walk(runtime, input);
  Value item;
  return walk.Next(&item) ? item : runtime.Undefined("No first item, sequence was empty.");
}

Value Last(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "last", {});
  if (input.Is(Type::kIterator) || !IsIterable(input)) {
    Raise(fmt::format("'{}' object is not reversible", TypeName(input)));
  }
  std::vector<Value> items = ToVector(runtime, input);
  return items.empty() ? runtime.Undefined("No last item, sequence was empty.") : items.back();
}

Value List(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "list", {});
  return runtime.List(ToVector(runtime, input));
}

Value Reverse(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "reverse", {});
  if (input.IsString()) {
    const Value step = Value::Int(-1);
    return GetSlice(runtime, input, nullptr, nullptr, &step);
  }
  if (!IsIterable(input)) Raise("argument must be iterable");
  std::vector<Value> items = ToVector(runtime, input);
  std::ranges::reverse(items);
  // What Python cannot reverse, jinja2 makes a list of first.
  if (input.Is(Type::kIterator)) return runtime.List(std::move(items));
  return runtime.Iterator(std::move(items));
}

Value Join(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "join", {"d", "attribute"});
  const std::string separator = bound[0] ? Str(runtime, bound.Get(0)) : "";
  const bool attribute = bound[1] && !bound[1]->IsNone();
  const Getter getter = AttributeGetter(runtime, attribute ? bound[1] : nullptr);
  Buffer out(runtime);
  Walk walk(runtime, input);
  bool first = true;
  for (Value item; walk.Next(&item); first = false) {
    if (!first) out.Append(separator);
    AppendStr(runtime, attribute ? getter(item) : item, out);
  }
  return runtime.String(out.Take());
}

Value Sort(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "sort", {"reverse", "case_sensitive", "attribute"});
  std::vector<Value> items;
  for (Keyed& entry :
       SortedBy(runtime, input, SortKey(runtime, bound[2], !bound.Flag(1)), bound.Flag(0))) {
    items.push_back(std::move(entry.item));
  }
  return runtime.List(std::move(items));
}

Value Unique(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "unique", {"case_sensitive", "attribute"});
  const Getter key = AttributeGetter(runtime, bound[1], !bound.Flag(0));
  return Lazily(runtime, [&](std::vector<Value>& items) {
    std::vector<Value> seen;
    Walk walk(runtime, input);
    for (Value item; walk.Next(&item);) {
      Value of = key(item);
      RequireHashable(of);
      if (std::ranges::any_of(seen,
                              [&](const Value& other) { return Equal(runtime, other, of); })) {
        continue;
      }
      seen.push_back(std::move(of));
      items.push_back(std::move(item));
    }
  });
}

template <bool kMax>
Value Extreme(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, kMax ? "max" : "min", {"case_sensitive", "attribute"});
  const Getter key = AttributeGetter(runtime, bound[1], !bound.Flag(0));
  Walk walk(runtime, input);
  Value best, item;
  if (!walk.Next(&best)) return runtime.Undefined("No aggregated item, sequence was empty.");
  Value best_key = key(best);
  while (walk.Next(&item)) {
    Value of = key(item);
    if (!(kMax ? Less(runtime, best_key, of, ">") : Less(runtime, of, best_key))) continue;
    best_key = std::move(of);
    best = std::move(item);
  }
  return best;
}

Value Sum(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "sum", {"attribute", "start"});
  const bool attribute = bound[0] && !bound[0]->IsNone();
  const Getter getter = AttributeGetter(runtime, attribute ? bound[0] : nullptr);
  Value total = bound[1] ? bound.Get(1) : Value::Int(0);
  if (total.IsString()) Raise("sum() can't sum strings [use ''.join(seq) instead]");
  Walk walk(runtime, input);
  for (Value item; walk.Next(&item);) {
    total = Binary(runtime, BinaryOp::kAdd, total, attribute ? getter(item) : item);
  }
  return total;
}

Value Items(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "items", {});
  return Lazily(runtime, [&](std::vector<Value>& items) {
    if (input.IsUndefined()) return;
    if (!input.Is(Type::kDict)) Raise("Can only get item pairs from a mapping.");
    for (const auto& [key, value] : input.dict().entries) {
      items.push_back(runtime.Tuple({key, value}));
    }
  });
}

Value DictSort(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "dictsort", {"case_sensitive", "by", "reverse"});
  const auto by = bound.Text(1, "key");
  if (by != "key" && by != "value") Raise("You can only sort by either \"key\" or \"value\"");
  RequireDefined(input);
  if (!input.Is(Type::kDict)) {
    Raise(fmt::format("'{}' object has no attribute 'items'", TypeName(input)));
  }
  std::vector<Value> pairs;
  for (const auto& [key, value] : input.dict().entries) {
    pairs.push_back(runtime.Tuple({key, value}));
  }
  const Value index = Value::Int(by == "key" ? 0 : 1);
  std::vector<Value> items;
  for (Keyed& entry : SortedBy(runtime, runtime.List(std::move(pairs)),
                               AttributeGetter(runtime, &index, !bound.Flag(0)), bound.Flag(2))) {
    items.push_back(std::move(entry.item));
  }
  return runtime.List(std::move(items));
}

Value GroupBy(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "groupby", {"attribute", "default", "case_sensitive"}, 1);
  const bool exact = bound.Flag(2);
  const Getter key = AttributeGetter(runtime, bound[0], !exact, bound[1]);
  const Getter shown = AttributeGetter(runtime, bound[0], false, bound[1]);
  std::vector<Keyed> sorted = SortedBy(runtime, input, key, false);
  std::vector<Value> groups;
  for (size_t i = 0; i < sorted.size();) {
    const Value of = sorted[i].key;
    const Value name = exact ? of : shown(sorted[i].item);
    std::vector<Value> members;
    for (; i < sorted.size() && Equal(runtime, sorted[i].key, of); ++i) {
      members.push_back(std::move(sorted[i].item));
    }
    if (members.empty()) Raise("groupby: a key that does not equal itself");
    groups.push_back(
        runtime.Sequence(Type::kTuple, {name, runtime.List(std::move(members))}, "group"));
  }
  return runtime.List(std::move(groups));
}

Value Batch(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "batch", {"linecount", "fill_with"}, 1);
  const int64_t count = bound.Integer(0, 0);
  return Lazily(runtime, [&](std::vector<Value>& items) {
    std::vector<Value> line;
    Walk walk(runtime, input);
    for (Value item; walk.Next(&item);) {
      if (static_cast<int64_t>(line.size()) == count) {
        items.push_back(runtime.List(std::exchange(line, {})));
      }
      line.push_back(std::move(item));
    }
    if (line.empty()) return;
    if (bound[1] && !bound[1]->IsNone()) {
      while (static_cast<int64_t>(line.size()) < count) {
        runtime.Step();
        runtime.CheckBytes(line.size() * sizeof(Value));
        line.push_back(bound.Get(1));
      }
    }
    items.push_back(runtime.List(std::move(line)));
  });
}

Value Slice(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "slice", {"slices", "fill_with"}, 1);
  const int64_t slices = bound.Integer(0, 0);
  return Lazily(runtime, [&](std::vector<Value>& items) {
    const std::vector<Value> all = ToVector(runtime, input);
    if (slices == 0) Raise("integer division or modulo by zero");
    const auto size = static_cast<int64_t>(all.size());
    if (slices < 0) return;
    const int64_t each = size / slices;
    const int64_t longer = size % slices;
    int64_t at = 0;
    for (int64_t i = 0; i < slices; ++i) {
      const int64_t end = at + each + (i < longer ? 1 : 0);
      std::vector<Value> part(all.begin() + at, all.begin() + end);
      at = end;
      if (bound[1] && !bound[1]->IsNone() && i >= longer) part.push_back(bound.Get(1));
      items.push_back(runtime.List(std::move(part)));
    }
  });
}

Value Map(Runtime& runtime, const Value& input, const Args& args) {
  return Lazily(runtime, [&](std::vector<Value>& items) {
    if (!Truth(input)) return;
    Getter function;
    Args rest;
    if (args.positional.empty() && !args.keyword.empty() &&
        std::ranges::any_of(args.keyword, [](auto& item) { return item.first == "attribute"; })) {
      const Bound bound(args, "map", {"attribute", "default"});
      function = AttributeGetter(runtime, bound[0], false, bound[1]);
    } else {
      if (args.positional.empty()) Raise("map requires a filter argument");
      const Value& name = args.positional[0];
      const FilterFn filter = name.IsString() ? FindFilter(name.string()) : nullptr;
      if (name.IsString() && IsUnsupportedFilter(name.string())) {
        RaiseUnsupported(fmt::format("the filter '{}'", name.string()));
      }
      if (!filter) Raise(fmt::format("No filter named {}.", Repr(runtime, name)));
      rest = args;
      rest.positional.erase(rest.positional.begin());
      function = [&runtime, &rest, filter](const Value& item) {
        return filter(runtime, item, rest);
      };
    }
    Walk walk(runtime, input);
    for (Value item; walk.Next(&item);) items.push_back(function(item));
  });
}

template <bool kKeep, bool kAttribute>
Value Select(Runtime& runtime, const Value& input, const Args& args) {
  return Lazily(runtime, [&](std::vector<Value>& items) {
    if (!Truth(input)) return;
    Args rest = args;
    Getter getter;
    if (kAttribute) {
      if (rest.positional.empty()) Raise("Missing parameter for attribute name");
      getter = AttributeGetter(runtime, &args.positional[0]);
      rest.positional.erase(rest.positional.begin());
    }
    TestFn test = nullptr;
    if (!rest.positional.empty()) {
      const Value name = rest.positional[0];
      test = name.IsString() ? FindTest(name.string()) : nullptr;
      if (!test) Raise(fmt::format("No test named {}.", Repr(runtime, name)));
      rest.positional.erase(rest.positional.begin());
    }
    Walk walk(runtime, input);
    for (Value item; walk.Next(&item);) {
      const Value subject = kAttribute ? getter(item) : item;
      const bool passes = test ? test(runtime, subject, rest) : Truth(subject);
      if (passes == kKeep) items.push_back(std::move(item));
    }
  });
}

Value Attr(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "attr", {"name"}, 1);
  const auto name = bound.Text(0);
  // Only what Python calls an attribute: a dict's keys are not.
  if (input.Is(Type::kDict) && !FindMethod(input, name) && !name.starts_with("_")) {
    const Value value = GetAttribute(runtime, runtime.Dict({}), name);
    if (value.IsUndefined()) return value;
  }
  return GetAttribute(runtime, input, name);
}

struct Entry {
  std::string_view name;
  FilterFn filter;
};
constexpr Entry kFilters[] = {
    {"length", LengthFilter},
    {"count", LengthFilter},
    {"first", First},
    {"last", Last},
    {"list", List},
    {"reverse", Reverse},
    {"join", Join},
    {"sort", Sort},
    {"unique", Unique},
    {"min", Extreme<false>},
    {"max", Extreme<true>},
    {"sum", Sum},
    {"items", Items},
    {"dictsort", DictSort},
    {"groupby", GroupBy},
    {"batch", Batch},
    {"slice", Slice},
    {"map", Map},
    {"select", Select<true, false>},
    {"reject", Select<false, false>},
    {"selectattr", Select<true, true>},
    {"rejectattr", Select<false, true>},
    {"attr", Attr},
};

}  // namespace

FilterFn FindSequenceFilter(std::string_view name) {
  const auto* found = std::ranges::find(kFilters, name, &Entry::name);
  return found == std::end(kFilters) ? nullptr : found->filter;
}

FilterFn FindFilter(std::string_view name) {
  if (FilterFn filter = FindTextFilter(name)) return filter;
  return FindSequenceFilter(name);
}

bool IsUnsupportedFilter(std::string_view name) {
  static constexpr std::string_view kNames[] = {"filesizeformat", "pprint",   "random", "striptags",
                                                "urlize",         "wordwrap", "xmlattr"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

}  // namespace jikji::jinja
