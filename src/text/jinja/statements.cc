// Statements.
#include <fmt/format.h>

#include <algorithm>

#include "text/jinja/evaluator.h"
#include "text/jinja/objects.h"

namespace jikji::jinja {
namespace {

struct MacroObject : CallableObject {
  MacroObject(Runtime& runtime, Evaluator* evaluator, const MacroDef* macro, ScopePtr scope)
      : CallableObject(runtime.budget(), 256, 1),
        evaluator(evaluator),
        macro(macro),
        scope(std::move(scope)) {}

  Value Call(Runtime&, Args& args) const override {
    const ScopePtr defined_in = scope;
    return evaluator->CallMacro(*macro, defined_in, args);
  }
  std::string_view name() const override { return macro->name; }
  bool Attribute(Runtime& runtime, std::string_view attribute, Value* value) const override {
    if (attribute == "name") {
      *value = runtime.String(macro->name);
    } else if (attribute == "arguments") {
      std::vector<Value> names;
      for (const auto& parameter : macro->parameter_names) {
        names.push_back(runtime.String(parameter));
      }
      *value = runtime.Tuple(std::move(names));
    } else if (attribute == "catch_kwargs") {
      *value = Value::Bool(macro->uses_kwargs);
    } else if (attribute == "catch_varargs") {
      *value = Value::Bool(macro->uses_varargs);
    } else if (attribute == "caller") {
      *value = Value::Bool(macro->uses_caller || macro->explicit_caller);
    } else {
      return false;
    }
    return true;
  }
  void Clear() override { scope.reset(); }

  Evaluator* const evaluator;
  const MacroDef* const macro;
  ScopePtr scope;
};

// Macros and recursive loops that are running.
class CallDepth {
 public:
  explicit CallDepth(Runtime& runtime) : runtime_(runtime) {
    if (runtime_.calls >= runtime_.max_depth()) runtime_.TooDeep();
    ++runtime_.calls;
  }
  CallDepth(const CallDepth&) = delete;
  CallDepth& operator=(const CallDepth&) = delete;
  ~CallDepth() { --runtime_.calls; }

 private:
  Runtime& runtime_;
};

}  // namespace

void Evaluator::Run(ScopePtr variables, Buffer& out) {
  ExecuteBody(template_.body, std::make_shared<Scope>(std::move(variables)), out);
}

Evaluator::Flow Evaluator::ExecuteBody(const Body& body, const ScopePtr& scope, Buffer& out) {
  for (const auto& node : body) {
    if (const Flow flow = Execute(*node, scope, out); flow != Flow::kNormal) return flow;
  }
  return Flow::kNormal;
}

Evaluator::Flow Evaluator::Execute(const Node& node, const ScopePtr& scope, Buffer& out) {
  runtime_.Step();
  Runtime::Nest nest(runtime_);
  runtime_.position = node.position;
  Flow flow = Flow::kNormal;
  switch (node.kind) {
    case NodeKind::kData:
      out.Append(node.data);
      break;
    case NodeKind::kOutput:
      for (const auto& expr : node.exprs) AppendStr(runtime_, Evaluate(*expr, scope), out);
      break;
    case NodeKind::kIf:
      return ExecuteIf(node, scope, out);
    case NodeKind::kFor:
      return ExecuteFor(node, scope, out, Evaluate(*node.exprs[0], scope), 0);
    case NodeKind::kSet:
      Assign(*node.targets[0], Evaluate(*node.exprs[0], scope), scope);
      break;
    case NodeKind::kSetBlock:
      return ExecuteSetBlock(node, scope);
    case NodeKind::kMacro:
      scope->Set(node.symbol, MakeMacro(*node.macro, scope));
      break;
    case NodeKind::kCallBlock:
      ExecuteCallBlock(node, scope, out);
      break;
    case NodeKind::kFilterBlock:
      return ExecuteFilterBlock(node, scope, out);
    case NodeKind::kWith:
      ExecuteWith(node, scope, out, &flow);
      return flow;
    case NodeKind::kScope:
      return ExecuteBody(node.body, std::make_shared<Scope>(scope), out);
    case NodeKind::kBreak:
      return Flow::kBreak;
    case NodeKind::kContinue:
      return Flow::kContinue;
  }
  return Flow::kNormal;
}

Evaluator::Flow Evaluator::ExecuteIf(const Node& node, const ScopePtr& scope, Buffer& out) {
  for (const Branch& branch : node.branches) {
    if (!branch.test || Truth(Evaluate(*branch.test, scope))) {
      return ExecuteBody(branch.body, scope, out);
    }
  }
  return Flow::kNormal;
}

Value Evaluator::FilterText(const Expr* filter, Value text, const ScopePtr& scope) {
  if (!filter) return text;
  if (filter->children[0]) {
    text = FilterText(filter->children[0].get(), std::move(text), scope);
  }
  return EvaluateFilter(*filter, text, scope);
}

Evaluator::Flow Evaluator::ExecuteSetBlock(const Node& node, const ScopePtr& scope) {
  Buffer text(runtime_);
  const ScopePtr inner = std::make_shared<Scope>(scope);
  const Flow flow = ExecuteBody(node.body, inner, text);
  if (flow != Flow::kNormal) return flow;
  Value value = runtime_.String(text.Take());
  Assign(*node.targets[0], FilterText(node.filter.get(), std::move(value), inner), scope);
  return Flow::kNormal;
}

Evaluator::Flow Evaluator::ExecuteFilterBlock(const Node& node, const ScopePtr& scope,
                                              Buffer& out) {
  Buffer text(runtime_);
  const ScopePtr inner = std::make_shared<Scope>(scope);
  const Flow flow = ExecuteBody(node.body, inner, text);
  if (flow != Flow::kNormal) return flow;
  Value value = runtime_.String(text.Take());
  AppendStr(runtime_, FilterText(node.filter.get(), std::move(value), inner), out);
  return Flow::kNormal;
}

void Evaluator::ExecuteWith(const Node& node, const ScopePtr& scope, Buffer& out, Flow* flow) {
  const ScopePtr inner = std::make_shared<Scope>(scope);
  for (size_t i = 0; i < node.targets.size(); ++i) {
    Assign(*node.targets[i], Evaluate(*node.exprs[i], scope), inner);
  }
  *flow = ExecuteBody(node.body, inner, out);
}

void Evaluator::Assign(const Expr& target, const Value& value, const ScopePtr& scope) {
  if (target.kind == ExprKind::kName) {
    scope->Set(target.symbol, value);
    return;
  }
  if (target.kind == ExprKind::kNamespaceRef) {
    runtime_.position = target.position;
    Expr name;
    name.symbol = target.symbol;
    const Value object = EvaluateName(name, scope);
    if (!object.Is(Type::kNamespace)) Raise("cannot assign attribute on non-namespace object");
    auto& attributes = MutableNamespace(object).attributes;
    auto found = std::ranges::find(attributes, target.name, [](auto& item) { return item.first; });
    if (found == attributes.end()) {
      attributes.emplace_back(target.name, value);
    } else {
      found->second = value;
    }
    return;
  }
  // The values first, then the names: `a, b = b, a`.
  RequireDefined(value);
  Walk walk(runtime_, value);
  std::vector<Value> items;
  for (Value item; items.size() <= target.children.size() && walk.Next(&item);) {
    items.push_back(std::move(item));
  }
  if (items.size() > target.children.size()) {
    Raise(fmt::format("too many values to unpack (expected {})", target.children.size()));
  }
  if (items.size() < target.children.size()) {
    Raise(fmt::format("not enough values to unpack (expected {}, got {})", target.children.size(),
                      items.size()));
  }
  for (size_t i = 0; i < items.size(); ++i) Assign(*target.children[i], items[i], scope);
}

Evaluator::Flow Evaluator::ExecuteFor(const Node& node, const ScopePtr& scope, Buffer& out,
                                      const Value& iterable, int64_t depth0) {
  Walk walk(runtime_, iterable);
  const Expr& target = *node.targets[0];
  auto next = [&](Value* item) {
    while (walk.Next(item)) {
      if (!node.test) return true;
      const ScopePtr test_scope = std::make_shared<Scope>(scope);
      Assign(target, *item, test_scope);
      if (Truth(Evaluate(*node.test, test_scope))) return true;
    }
    return false;
  };
  std::shared_ptr<LoopObject> loop;
  Value loop_value;
  if (node.uses_loop) {
    LoopObject::RecurseFn recurse;
    if (node.recursive) {
      recurse = [this, &node, scope, depth0](const Value& items) {
        CallDepth depth(runtime_);
        Runtime::Nest nest(runtime_);
        Buffer text(runtime_);
        ExecuteFor(node, scope, text, items, depth0 + 1);
        return runtime_.String(text.Take());
      };
    }
    runtime_.CheckBytes(512);
    loop = std::make_shared<LoopObject>(runtime_, next, node.test ? -1 : walk.sized(),
                                        std::move(recurse), depth0);
    runtime_.Keep(loop);
    loop_value = Value(Type::kLoop, loop);
  }
  // What `next` refers to ends with this call; a loop that a template kept must not use it.
  struct Finisher {
    LoopObject* loop;
    ~Finisher() {
      if (loop) loop->Finish();
    }
  } finisher{loop.get()};

  bool any = false;
  ScopePtr body_scope;
  for (Value item; loop ? loop->Next(&item) : next(&item);) {
    // A scope that nothing kept is used again.
    if (body_scope && body_scope.use_count() == 1) {
      body_scope->variables.clear();
    } else {
      body_scope = std::make_shared<Scope>(scope);
    }
    if (loop) body_scope->Set(template_.loop, loop_value);
    Assign(target, item, body_scope);
    // jinja2 takes the else also where each turn of the loop was cut short.
    const Flow flow = ExecuteBody(node.body, body_scope, out);
    any |= flow == Flow::kNormal;
    if (flow == Flow::kBreak) break;
  }
  if (any || node.otherwise.empty()) return Flow::kNormal;
  return ExecuteBody(node.otherwise, std::make_shared<Scope>(scope), out);
}

Value Evaluator::MakeMacro(const MacroDef& macro, const ScopePtr& scope) {
  runtime_.CheckBytes(256);
  auto object = std::make_shared<MacroObject>(runtime_, this, &macro, scope);
  runtime_.Keep(object);
  return Value(Type::kCallable, std::move(object));
}

void Evaluator::ExecuteCallBlock(const Node& node, const ScopePtr& scope, Buffer& out) {
  const Value caller = MakeMacro(*node.macro, scope);
  AppendStr(runtime_, EvaluateCall(*node.exprs[0], scope, &caller), out);
}

Value Evaluator::CallMacro(const MacroDef& macro, const ScopePtr& defined_in, Args& args) {
  CallDepth depth(runtime_);
  Runtime::Nest nest(runtime_);
  const ScopePtr scope = std::make_shared<Scope>(defined_in);
  const size_t count = macro.parameters.size();
  std::vector<bool> given(count, false);
  for (size_t i = 0; i < count && i < args.positional.size(); ++i) {
    scope->Set(macro.parameters[i], args.positional[i]);
    given[i] = true;
  }
  std::vector<std::pair<Value, Value>> others;
  bool caller_given = false;
  for (const auto& [name, value] : args.keyword) {
    const auto found = std::ranges::find(macro.parameter_names, name);
    const auto index = static_cast<size_t>(found - macro.parameter_names.begin());
    if (index < count && !given[index]) {
      scope->Set(macro.parameters[index], value);
      given[index] = true;
    } else if (name == "caller" && macro.uses_caller && !caller_given) {
      scope->Set(macro.caller, value);
      caller_given = true;
    } else {
      others.emplace_back(runtime_.String(std::string(name)), value);
    }
  }
  if (macro.uses_caller && !caller_given) {
    scope->Set(macro.caller, runtime_.Undefined("No caller defined"));
  }
  if (macro.uses_kwargs) {
    scope->Set(macro.kwargs, runtime_.Dict(std::move(others)));
  } else if (!others.empty()) {
    Raise(fmt::format("macro '{}' takes no keyword argument '{}'", macro.name,
                      others[0].first.string()));
  }
  if (macro.uses_varargs) {
    std::vector<Value> rest;
    if (args.positional.size() > count) {
      rest.assign(args.positional.begin() + static_cast<ptrdiff_t>(count), args.positional.end());
    }
    scope->Set(macro.varargs, runtime_.Tuple(std::move(rest)));
  } else if (args.positional.size() > count) {
    Raise(fmt::format("macro '{}' takes not more than {} argument(s)", macro.name, count));
  }
  for (size_t i = 0; i < count; ++i) {
    if (given[i]) continue;
    const size_t without_default = count - macro.defaults.size();
    Value value = i >= without_default
                      ? Evaluate(*macro.defaults[i - without_default], scope)
                      : runtime_.Undefined(fmt::format("parameter '{}' was not provided",
                                                       macro.parameter_names[i]));
    scope->Set(macro.parameters[i], std::move(value));
  }
  Buffer text(runtime_);
  ExecuteBody(macro.body, scope, text);
  return runtime_.String(text.Take());
}

}  // namespace jikji::jinja
