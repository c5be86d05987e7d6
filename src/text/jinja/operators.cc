// Arithmetic, comparison and truth, by Python's rules.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "text/jinja/objects.h"
#include "text/jinja/runtime.h"

namespace jikji::jinja {
namespace {

[[noreturn]] void Overflow() { RaiseOverflow(); }

[[noreturn]] void Unsuitable(const char* op, const Value& left, const Value& right) {
  RequireDefined(left);
  RequireDefined(right);
  Raise(fmt::format("unsupported operand type(s) for {}: '{}' and '{}'", op, TypeName(left),
                    TypeName(right)));
}

int64_t FloorDivide(int64_t a, int64_t b) {
  if (b == 0) Raise("division by zero");
  if (b == -1) {
    if (a == std::numeric_limits<int64_t>::min()) Overflow();
    return -a;
  }
  const int64_t quotient = a / b;
  return a % b != 0 && (a % b < 0) != (b < 0) ? quotient - 1 : quotient;
}

int64_t Modulo(int64_t a, int64_t b) {
  if (b == 0) Raise("division by zero");
  if (b == -1) return 0;
  const int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

double FloatModulo(double a, double b) {
  if (b == 0) Raise("division by zero");
  double rest = std::fmod(a, b);
  if (rest != 0) {
    if ((rest < 0) != (b < 0)) rest += b;
  } else {
    rest = std::copysign(0.0, b);
  }
  return rest;
}

double FloatFloorDivide(double a, double b) {
  if (b == 0) Raise("division by zero");
  double rest = std::fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0 && (rest < 0) != (b < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floor = std::floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

Value IntegerPower(int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) Raise("zero to a negative power");
    return Value::Float(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) && __builtin_mul_overflow(result, base, &result)) Overflow();
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) Overflow();
  }
  return Value::Int(result);
}

Value IntegerArithmetic(BinaryOp op, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (op) {
    case BinaryOp::kAdd:
      if (__builtin_add_overflow(a, b, &result)) Overflow();
      break;
    case BinaryOp::kSub:
      if (__builtin_sub_overflow(a, b, &result)) Overflow();
      break;
    case BinaryOp::kMul:
      if (__builtin_mul_overflow(a, b, &result)) Overflow();
      break;
    case BinaryOp::kDiv:
      if (b == 0) Raise("division by zero");
      // long double holds every int64_t, so that only the quotient is rounded.
      return Value::Float(
          static_cast<double>(static_cast<long double>(a) / static_cast<long double>(b)));
    case BinaryOp::kFloorDiv:
      result = FloorDivide(a, b);
      break;
    case BinaryOp::kMod:
      result = Modulo(a, b);
      break;
    case BinaryOp::kPow:
      return IntegerPower(a, b);
  }
  return Value::Int(result);
}

Value FloatArithmetic(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd:
      return Value::Float(a + b);
    case BinaryOp::kSub:
      return Value::Float(a - b);
    case BinaryOp::kMul:
      return Value::Float(a * b);
    case BinaryOp::kDiv:
      if (b == 0) Raise("float division by zero");
      return Value::Float(a / b);
    case BinaryOp::kFloorDiv:
      return Value::Float(FloatFloorDivide(a, b));
    case BinaryOp::kMod:
      return Value::Float(FloatModulo(a, b));
    case BinaryOp::kPow:
      break;
  }
  if (a == 0 && b < 0) Raise("zero to a negative power");
  if (a < 0 && std::isfinite(a) && std::isfinite(b) && b != std::floor(b)) {
    RaiseUnsupported("a complex number");
  }
  const double result = std::pow(a, b);
  if (std::isinf(result) && std::isfinite(a) && std::isfinite(b))
    Raise("numerical result out of range");
  return Value::Float(result);
}

Value Repeat(Runtime& runtime, const Value& value, int64_t count) {
  if (count < 0) count = 0;
  const size_t size = value.IsString() ? value.string().size() : value.items().size();
  const size_t unit = value.IsString() ? 1 : sizeof(Value);
  if (size > 0 && static_cast<uint64_t>(count) > SIZE_MAX / 2 / size / unit) {
    runtime.BytesExhausted();
  }
  const size_t total = size * static_cast<size_t>(count);
  runtime.CheckBytes(total * unit);
  runtime.StepBytes(total * unit);
  if (value.IsString()) {
    std::string text;
    text.reserve(total);
    if (total > 0) {
      for (int64_t i = 0; i < count; ++i) text += value.string();
    }
    return runtime.String(std::move(text), value.IsMarkup());
  }
  std::vector<Value> items;
  items.reserve(total);
  if (total > 0) {
    for (int64_t i = 0; i < count; ++i) {
      items.insert(items.end(), value.items().begin(), value.items().end());
    }
  }
  return runtime.Sequence(value.type(), std::move(items));
}

bool IsRepeatable(const Value& value) {
  return value.IsString() || value.Is(Type::kList) || value.Is(Type::kTuple);
}

Value AddStrings(Runtime& runtime, const Value& left, const Value& right) {
  runtime.CheckBytes(left.string().size() + right.string().size());
  const bool markup = left.IsMarkup() || right.IsMarkup();
  auto part = [&](const Value& value) {
    return markup && !value.IsMarkup() ? EscapeHtml(value.string()) : std::string(value.string());
  };
  std::string text = part(left);
  text += markup && !right.IsMarkup() ? part(right) : right.string();
  return runtime.String(std::move(text), markup);
}

constexpr const char* kSymbols[] = {"+", "-", "*", "/", "//", "%", "** or pow()"};

// <0, 0, >0; 2 where one is NaN.
int CompareNumbers(const Value& left, const Value& right) {
  if (left.IsInteger() && right.IsInteger()) {
    return left.integer() < right.integer() ? -1 : left.integer() > right.integer();
  }
  auto exact = [](const Value& value) {
    return value.IsInteger() ? static_cast<long double>(value.integer())
                             : static_cast<long double>(value.number());
  };
  const long double a = exact(left), b = exact(right);
  if (std::isnan(a) || std::isnan(b)) return 2;
  return a < b ? -1 : a > b;
}

bool EqualItems(Runtime& runtime, const std::vector<Value>& left, const std::vector<Value>& right) {
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (!left[i].SameAs(right[i]) && !Equal(runtime, left[i], right[i])) return false;
  }
  return true;
}

bool EqualDicts(Runtime& runtime, const Value& left, const Value& right) {
  if (left.dict().entries.size() != right.dict().entries.size()) return false;
  for (const auto& [key, value] : left.dict().entries) {
    const Value* other = DictGet(runtime, right, key);
    if (!other || !Equal(runtime, value, *other)) return false;
  }
  return true;
}

bool EqualRanges(const RangeObject& left, const RangeObject& right) {
  if (left.length != right.length) return false;
  if (left.length == 0) return true;
  return left.start == right.start && (left.length == 1 || left.step == right.step);
}

}  // namespace

void RequireDefined(const Value& value) {
  if (!value.IsUndefined()) return;
  const auto* reason = value.undefined();
  Raise(reason ? reason->message : "the value is undefined");
}

bool Truth(const Value& value) {
  switch (value.type()) {
    case Type::kUndefined:
    case Type::kNone:
      return false;
    case Type::kBool:
    case Type::kInt:
      return value.integer() != 0;
    case Type::kFloat:
      return value.number() != 0;
    case Type::kString:
      return !value.string().empty();
    case Type::kList:
    case Type::kTuple:
    case Type::kView:
      return !value.items().empty();
    case Type::kDict:
      return !value.dict().entries.empty();
    case Type::kRange:
      return value.range().length != 0;
    default:
      return true;
  }
}

Value Binary(Runtime& runtime, BinaryOp op, const Value& left, const Value& right) {
  if (left.IsNumber() && right.IsNumber()) {
    if (left.IsInteger() && right.IsInteger()) {
      return IntegerArithmetic(op, left.integer(), right.integer());
    }
    return FloatArithmetic(op, left.number(), right.number());
  }
  if (op == BinaryOp::kMod && left.IsString()) {
    if (left.IsMarkup()) RaiseUnsupported("formatting of escaped text");
    return FormatPercent(runtime, left, right);
  }
  if (op == BinaryOp::kAdd) {
    if (left.IsString() && right.IsString()) return AddStrings(runtime, left, right);
    if (left.type() == right.type() && (left.Is(Type::kList) || left.Is(Type::kTuple))) {
      runtime.CheckBytes((left.items().size() + right.items().size()) * sizeof(Value));
      std::vector<Value> items = left.items();
      items.insert(items.end(), right.items().begin(), right.items().end());
      return runtime.Sequence(left.type(), std::move(items));
    }
  }
  if (op == BinaryOp::kMul) {
    if (IsRepeatable(left) && right.IsInteger()) return Repeat(runtime, left, right.integer());
    if (IsRepeatable(right) && left.IsInteger()) return Repeat(runtime, right, left.integer());
  }
  Unsuitable(kSymbols[static_cast<size_t>(op)], left, right);
}

Value Negative(Runtime&, const Value& value) {
  RequireDefined(value);
  if (value.Is(Type::kFloat)) return Value::Float(-value.number());
  if (!value.IsInteger()) {
    Raise(fmt::format("bad operand type for unary -: '{}'", TypeName(value)));
  }
  if (value.integer() == std::numeric_limits<int64_t>::min()) Overflow();
  return Value::Int(-value.integer());
}

Value Positive(Runtime&, const Value& value) {
  RequireDefined(value);
  if (value.Is(Type::kFloat)) return value;
  if (!value.IsInteger()) {
    Raise(fmt::format("bad operand type for unary +: '{}'", TypeName(value)));
  }
  return Value::Int(value.integer());
}

bool Equal(Runtime& runtime, const Value& left, const Value& right) {
  runtime.Step();
  if (left.IsNumber() && right.IsNumber()) return CompareNumbers(left, right) == 0;
  if (left.type() != right.type()) return false;
  switch (left.type()) {
    case Type::kUndefined:
    case Type::kNone:
      return true;
    case Type::kString:
      runtime.StepBytes(left.string().size());
      return left.string() == right.string();
    case Type::kList:
    case Type::kTuple:
      return EqualItems(runtime, left.items(), right.items());
    case Type::kDict:
      return EqualDicts(runtime, left, right);
    case Type::kRange:
      return EqualRanges(left.range(), right.range());
    case Type::kView:
      if (!left.SameAs(right)) RaiseUnsupported("comparing views of a dict");
      return true;
    default:
      return left.SameAs(right);
  }
}

bool Less(Runtime& runtime, const Value& left, const Value& right, const char* symbol) {
  runtime.Step();
  if (left.IsNumber() && right.IsNumber()) return CompareNumbers(left, right) == -1;
  if (left.IsString() && right.IsString()) {
    runtime.StepBytes(left.string().size());
    return left.string() < right.string();  // the order of UTF-8 is that of code points
  }
  if (left.type() == right.type() && (left.Is(Type::kList) || left.Is(Type::kTuple))) {
    const auto& a = left.items();
    const auto& b = right.items();
    for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
      if (!a[i].SameAs(b[i]) && !Equal(runtime, a[i], b[i])) {
        return Less(runtime, a[i], b[i], symbol);
      }
    }
    return a.size() < b.size();
  }
  RequireDefined(left);
  RequireDefined(right);
  Raise(fmt::format("'{}' not supported between instances of '{}' and '{}'", symbol, TypeName(left),
                    TypeName(right)));
}

void RequireHashable(const Value& value) {
  if (value.Is(Type::kTuple)) {
    for (const Value& item : value.items()) RequireHashable(item);
  }
  if (value.Is(Type::kList) || value.Is(Type::kDict) || value.Is(Type::kView)) {
    Raise(fmt::format("unhashable type: '{}'", TypeName(value)));
  }
}

const Value* DictGet(Runtime& runtime, const Value& dict, const Value& key) {
  if (key.IsString()) return dict.dict().Find(key.string());
  for (const auto& [name, value] : dict.dict().entries) {
    if (!name.IsString() && (name.SameAs(key) || Equal(runtime, name, key))) return &value;
  }
  return nullptr;
}

bool Contains(Runtime& runtime, const Value& container, const Value& item) {
  switch (container.type()) {
    case Type::kString:
      RequireDefined(item);
      if (!item.IsString()) {
        Raise(fmt::format("'in <string>' requires string as left operand, not {}", TypeName(item)));
      }
      runtime.StepBytes(container.string().size());
      return container.string().find(item.string()) != std::string_view::npos;
    case Type::kDict:
      RequireHashable(item);
      runtime.Step();
      return DictGet(runtime, container, item) != nullptr;
    default:
      break;
  }
  if (!IsIterable(container)) {
    Raise(fmt::format("argument of type '{}' is not a container or iterable", TypeName(container)));
  }
  Walk walk(runtime, container);
  for (Value other; walk.Next(&other);) {
    if (other.SameAs(item) || Equal(runtime, other, item)) return true;
  }
  return false;
}

bool Compare(Runtime& runtime, CompareOp op, const Value& left, const Value& right) {
  switch (op) {
    case CompareOp::kEq:
      return Equal(runtime, left, right);
    case CompareOp::kNe:
      return !Equal(runtime, left, right);
    case CompareOp::kLt:
      return Less(runtime, left, right, "<");
    case CompareOp::kGt:
      return Less(runtime, right, left, ">");
    case CompareOp::kLe:
      return Less(runtime, left, right, "<=") || Equal(runtime, left, right);
    case CompareOp::kGe:
      return Less(runtime, right, left, ">=") || Equal(runtime, left, right);
    case CompareOp::kIn:
      return Contains(runtime, right, left);
    case CompareOp::kNotIn:
      return !Contains(runtime, right, left);
  }
  return false;
}

}  // namespace jikji::jinja
