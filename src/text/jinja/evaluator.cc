// Expressions.
#include "text/jinja/evaluator.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/jinja/objects.h"

namespace jikji::jinja {

Value Evaluator::EvaluateName(const Expr& expr, const ScopePtr& scope) {
  for (Scope* at = scope.get(); at; at = at->parent.get()) {
    if (const Value* found = at->Find(expr.symbol)) return *found;
  }
  const std::string& name = template_.symbols.Name(expr.symbol);
  if (FindFunction(name)) return MakeFunction(runtime_, name);
  return runtime_.Undefined(fmt::format("'{}' is undefined", name));
}

std::vector<Value> Evaluator::EvaluateAll(const std::vector<ExprPtr>& exprs,
                                          const ScopePtr& scope) {
  std::vector<Value> values;
  values.reserve(exprs.size());
  for (const auto& expr : exprs) values.push_back(Evaluate(*expr, scope));
  return values;
}

Value Evaluator::EvaluateDict(const Expr& expr, const ScopePtr& scope) {
  std::vector<std::pair<Value, Value>> entries;
  entries.reserve(expr.children.size() / 2);
  for (size_t i = 0; i + 1 < expr.children.size(); i += 2) {
    Value key = Evaluate(*expr.children[i], scope);
    Value value = Evaluate(*expr.children[i + 1], scope);
    entries.emplace_back(std::move(key), std::move(value));
  }
  return runtime_.Dict(std::move(entries));
}

bool Evaluator::EvaluateCompare(const Expr& expr, const ScopePtr& scope) {
  Value left = Evaluate(*expr.children[0], scope);
  for (size_t i = 0; i < expr.ops.size(); ++i) {
    Value right = Evaluate(*expr.children[i + 1], scope);
    runtime_.position = expr.position;
    if (!Compare(runtime_, expr.ops[i], left, right)) return false;
    left = std::move(right);
  }
  return true;
}

Value Evaluator::EvaluateConcat(const Expr& expr, const ScopePtr& scope) {
  Buffer out(runtime_);
  for (const auto& child : expr.children) AppendStr(runtime_, Evaluate(*child, scope), out);
  return runtime_.String(out.Take());
}

Args Evaluator::EvaluateArgs(const CallArgs& written, const ScopePtr& scope) {
  Args args;
  args.positional = EvaluateAll(written.positional, scope);
  args.keyword.reserve(written.keyword.size());
  for (const auto& [name, expr] : written.keyword) {
    args.keyword.emplace_back(name, Evaluate(*expr, scope));
  }
  if (written.star) {
    Walk walk(runtime_, Evaluate(*written.star, scope));
    for (Value item; walk.Next(&item);) args.positional.push_back(std::move(item));
  }
  if (written.star_star) {
    const Value more = Evaluate(*written.star_star, scope);
    if (!more.Is(Type::kDict)) {
      Raise(fmt::format("argument after ** must be a mapping, not {}", TypeName(more)));
    }
    for (const auto& [name, value] : more.dict().entries) {
      if (!name.IsString()) Raise("keywords must be strings");
      const auto key = name.string();
      if (std::ranges::any_of(args.keyword,
                              [&](const auto& other) { return other.first == key; })) {
        Raise(fmt::format("got multiple values for keyword argument '{}'", key));
      }
      args.keyword.emplace_back(key, value);
    }
    args.keepalive = more;
  }
  return args;
}

Value Evaluator::EvaluateCall(const Expr& expr, const ScopePtr& scope, const Value* caller) {
  const Expr& callee = *expr.children[0];
  // `text.strip()` calls the method at once, without an object for it in between.
  if (callee.kind == ExprKind::kAttribute && !caller) {
    const Value object = Evaluate(*callee.children[0], scope);
    runtime_.position = callee.position;
    if (!object.Is(Type::kNamespace) && !object.IsUndefined()) {
      if (MethodFn method = FindMethod(object, callee.name)) {
        const Args args = EvaluateArgs(expr.args, scope);
        runtime_.position = expr.position;
        return method(runtime_, object, args);
      }
    }
    const Value function = GetAttribute(runtime_, object, callee.name);
    Args args = EvaluateArgs(expr.args, scope);
    runtime_.position = expr.position;
    RequireDefined(function);
    if (!function.Is(Type::kCallable) && !function.Is(Type::kLoop)) {
      Raise(fmt::format("'{}' object is not callable", TypeName(function)));
    }
    return static_cast<const CallableObject*>(function.object())->Call(runtime_, args);
  }
  const Value function = Evaluate(callee, scope);
  Args args = EvaluateArgs(expr.args, scope);
  if (caller) args.keyword.emplace_back("caller", *caller);
  runtime_.position = expr.position;
  RequireDefined(function);
  if (!function.Is(Type::kCallable) && !function.Is(Type::kLoop)) {
    Raise(fmt::format("'{}' object is not callable", TypeName(function)));
  }
  return static_cast<const CallableObject*>(function.object())->Call(runtime_, args);
}

Value Evaluator::EvaluateFilter(const Expr& expr, const Value& input, const ScopePtr& scope) {
  if (!expr.filter) Raise(fmt::format("No filter named '{}' found.", expr.name));
  const Args args = EvaluateArgs(expr.args, scope);
  runtime_.position = expr.position;
  return expr.filter(runtime_, input, args);
}

Value Evaluator::Evaluate(const Expr& expr, const ScopePtr& scope) {
  runtime_.Step();
  Runtime::Nest nest(runtime_);
  runtime_.position = expr.position;
  auto child = [&](size_t index) { return Evaluate(*expr.children[index], scope); };
  switch (expr.kind) {
    case ExprKind::kConst:
      return expr.constant;
    case ExprKind::kName:
      return EvaluateName(expr, scope);
    case ExprKind::kList:
      return runtime_.List(EvaluateAll(expr.children, scope));
    case ExprKind::kTuple:
      return runtime_.Tuple(EvaluateAll(expr.children, scope));
    case ExprKind::kDict:
      return EvaluateDict(expr, scope);
    case ExprKind::kNegative:
      return Negative(runtime_, child(0));
    case ExprKind::kPositive:
      return Positive(runtime_, child(0));
    case ExprKind::kNot:
      return Value::Bool(!Truth(child(0)));
    case ExprKind::kAnd: {
      Value left = child(0);
      return Truth(left) ? child(1) : left;
    }
    case ExprKind::kOr: {
      Value left = child(0);
      return Truth(left) ? left : child(1);
    }
    case ExprKind::kBinary: {
      const Value left = child(0);
      const Value right = child(1);
      runtime_.position = expr.position;
      return Binary(runtime_, expr.binary, left, right);
    }
    case ExprKind::kCompare:
      return Value::Bool(EvaluateCompare(expr, scope));
    case ExprKind::kConcat:
      return EvaluateConcat(expr, scope);
    case ExprKind::kCond:
      if (Truth(child(0))) return child(1);
      if (expr.children[2]) return child(2);
      return runtime_.Undefined(
          "the inline if-expression evaluated to false and no else section was defined.");
    case ExprKind::kAttribute: {
      const Value object = child(0);
      runtime_.position = expr.position;
      return GetAttribute(runtime_, object, expr.name);
    }
    case ExprKind::kItem: {
      const Value object = child(0);
      const Value key = child(1);
      runtime_.position = expr.position;
      return GetItem(runtime_, object, key);
    }
    case ExprKind::kSlice: {
      const Value object = child(0);
      Value parts[3];
      const Value* given[3] = {};
      for (size_t i = 0; i < 3; ++i) {
        if (!expr.children[i + 1]) continue;
        parts[i] = child(i + 1);
        given[i] = &parts[i];
      }
      runtime_.position = expr.position;
      return GetSlice(runtime_, object, given[0], given[1], given[2]);
    }
    case ExprKind::kCall:
      return EvaluateCall(expr, scope, nullptr);
    case ExprKind::kFilter:
      return EvaluateFilter(expr, child(0), scope);
    case ExprKind::kTest: {
      if (!expr.test) Raise(fmt::format("No test named '{}' found.", expr.name));
      const Value input = child(0);
      const Args args = EvaluateArgs(expr.args, scope);
      runtime_.position = expr.position;
      return Value::Bool(expr.test(runtime_, input, args));
    }
    case ExprKind::kNamespaceRef:
      break;
  }
  return Value();
}

}  // namespace jikji::jinja
