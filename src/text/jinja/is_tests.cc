// The tests of `is`.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/utf8.h"
#include "text/jinja/objects.h"
#include "text/jinja/runtime.h"
#include "text/jinja/unicode.h"

namespace jikji::jinja {
namespace {

Value Remainder(Runtime& runtime, const Value& value, const Value& by) {
  return Binary(runtime, BinaryOp::kMod, value, by);
}

void NoArgs(const Args& args, std::string_view name) { Bound bound(args, name, {}); }

bool Divisible(Runtime& runtime, const Value& value, int64_t by, int64_t rest) {
  return Equal(runtime, Remainder(runtime, value, Value::Int(by)), Value::Int(rest));
}

template <Type... kTypes>
bool IsType(Runtime&, const Value& value, const Args& args) {
  NoArgs(args, "test");
  return (value.Is(kTypes) || ...);
}

template <CompareOp kOp>
bool CompareTest(Runtime& runtime, const Value& value, const Args& args) {
  const Bound bound(args, "test", {"b"}, 1);
  return Compare(runtime, kOp, value, bound.Get(0));
}

template <bool kUpper>
bool CaseTest(Runtime& runtime, const Value& value, const Args& args) {
  NoArgs(args, "test");
  const std::string text = Str(runtime, value);
  bool cased = false;
  for (size_t at = 0; at < text.size();) {
    const auto c = DecodeUtf8(std::string_view(text).substr(at));
    at += c.length;
    if (!IsCased(c.code_point)) continue;
    if (kUpper ? !IsUpper(c.code_point) : !IsLower(c.code_point)) return false;
    cased = true;
  }
  return cased;
}

bool Sequence(Runtime&, const Value& value, const Args& args) {
  NoArgs(args, "sequence");
  return value.IsUndefined() || value.IsString() || value.Is(Type::kList) ||
         value.Is(Type::kTuple) || value.Is(Type::kDict) || value.Is(Type::kRange);
}

bool Callable(Runtime&, const Value& value, const Args& args) {
  NoArgs(args, "callable");
  if (value.Is(Type::kCallable)) {
    return static_cast<const CallableObject*>(value.object())->callable();
  }
  return value.Is(Type::kLoop) || value.IsUndefined();
}

struct Entry {
  std::string_view name;
  TestFn test;
};

constexpr Entry kTests[] = {
    {"odd",
     [](Runtime& runtime, const Value& value, const Args& args) {
       NoArgs(args, "odd");
       return Divisible(runtime, value, 2, 1);
     }},
    {"even",
     [](Runtime& runtime, const Value& value, const Args& args) {
       NoArgs(args, "even");
       return Divisible(runtime, value, 2, 0);
     }},
    {"divisibleby",
     [](Runtime& runtime, const Value& value, const Args& args) {
       const Bound bound(args, "divisibleby", {"num"}, 1);
       return Equal(runtime, Remainder(runtime, value, bound.Get(0)), Value::Int(0));
     }},
    {"defined",
     [](Runtime&, const Value& value, const Args& args) {
       NoArgs(args, "defined");
       return !value.IsUndefined();
     }},
    {"undefined", IsType<Type::kUndefined>},
    {"none", IsType<Type::kNone>},
    {"boolean", IsType<Type::kBool>},
    {"true",
     [](Runtime&, const Value& value, const Args& args) {
       NoArgs(args, "true");
       return value.Is(Type::kBool) && value.boolean();
     }},
    {"false",
     [](Runtime&, const Value& value, const Args& args) {
       NoArgs(args, "false");
       return value.Is(Type::kBool) && !value.boolean();
     }},
    {"integer", IsType<Type::kInt>},
    {"float", IsType<Type::kFloat>},
    {"number", IsType<Type::kBool, Type::kInt, Type::kFloat>},
    {"string", IsType<Type::kString>},
    {"mapping", IsType<Type::kDict>},
    {"lower", CaseTest<false>},
    {"upper", CaseTest<true>},
    {"sequence", Sequence},
    {"iterable",
     [](Runtime&, const Value& value, const Args& args) {
       NoArgs(args, "iterable");
       return IsIterable(value);
     }},
    {"callable", Callable},
    {"escaped",
     [](Runtime&, const Value& value, const Args& args) {
       NoArgs(args, "escaped");
       return value.IsMarkup();
     }},
    {"sameas",
     [](Runtime&, const Value& value, const Args& args) {
       const Bound bound(args, "sameas", {"other"}, 1);
       return value.SameAs(bound.Get(0));
     }},
    {"in",
     [](Runtime& runtime, const Value& value, const Args& args) {
       const Bound bound(args, "in", {"seq"}, 1);
       return Contains(runtime, bound.Get(0), value);
     }},
    {"filter",
     [](Runtime&, const Value& value, const Args& args) {
       NoArgs(args, "filter");
       return value.IsString() &&
              (FindFilter(value.string()) || IsUnsupportedFilter(value.string()));
     }},
    {"test",
     [](Runtime&, const Value& value, const Args& args) {
       NoArgs(args, "test");
       return value.IsString() && FindTest(value.string()) != nullptr;
     }},
    {"==", CompareTest<CompareOp::kEq>},
    {"eq", CompareTest<CompareOp::kEq>},
    {"equalto", CompareTest<CompareOp::kEq>},
    {"!=", CompareTest<CompareOp::kNe>},
    {"ne", CompareTest<CompareOp::kNe>},
    {">", CompareTest<CompareOp::kGt>},
    {"gt", CompareTest<CompareOp::kGt>},
    {"greaterthan", CompareTest<CompareOp::kGt>},
    {">=", CompareTest<CompareOp::kGe>},
    {"ge", CompareTest<CompareOp::kGe>},
    {"<", CompareTest<CompareOp::kLt>},
    {"lt", CompareTest<CompareOp::kLt>},
    {"lessthan", CompareTest<CompareOp::kLt>},
    {"<=", CompareTest<CompareOp::kLe>},
    {"le", CompareTest<CompareOp::kLe>},
};

}  // namespace

TestFn FindTest(std::string_view name) {
  const auto* found = std::ranges::find(kTests, name, &Entry::name);
  return found == std::end(kTests) ? nullptr : found->test;
}

}  // namespace jikji::jinja
