// Walks the tree: statements write into a buffer, expressions give values.
//
// Names are looked up through scopes at run time: a loop's body, a macro, `with`, `set` and
// `filter` blocks have one of their own; `if` has none. A macro sees the scope it was written in.
#ifndef JIKJI_TEXT_JINJA_EVALUATOR_H_
#define JIKJI_TEXT_JINJA_EVALUATOR_H_

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/loop.h"
#include "text/jinja/runtime.h"

namespace jikji::jinja {

struct Scope {
  explicit Scope(std::shared_ptr<Scope> outer) : parent(std::move(outer)) {}
  Value* Find(Symbol symbol) {
    for (auto& [name, value] : variables) {
      if (name == symbol) return &value;
    }
    return nullptr;
  }
  void Set(Symbol symbol, Value value) {
    if (Value* found = Find(symbol)) {
      *found = std::move(value);
    } else {
      variables.emplace_back(symbol, std::move(value));
    }
  }

  const std::shared_ptr<Scope> parent;
  std::vector<std::pair<Symbol, Value>> variables;
};
using ScopePtr = std::shared_ptr<Scope>;

class Evaluator {
 public:
  Evaluator(const Template& program, Runtime& runtime) : template_(program), runtime_(runtime) {}

  // Runs the whole template with these variables.
  void Run(ScopePtr variables, Buffer& out);

  // Calls a macro: its body's text.
  Value CallMacro(const MacroDef& macro, const ScopePtr& defined_in, Args& args);

 private:
  enum class Flow { kNormal, kBreak, kContinue };

  Flow ExecuteBody(const Body& body, const ScopePtr& scope, Buffer& out);
  Flow Execute(const Node& node, const ScopePtr& scope, Buffer& out);
  Flow ExecuteIf(const Node& node, const ScopePtr& scope, Buffer& out);
  Flow ExecuteSetBlock(const Node& node, const ScopePtr& scope);
  Flow ExecuteFilterBlock(const Node& node, const ScopePtr& scope, Buffer& out);
  Flow ExecuteFor(const Node& node, const ScopePtr& scope, Buffer& out, const Value& iterable,
                  int64_t depth0);
  void ExecuteCallBlock(const Node& node, const ScopePtr& scope, Buffer& out);
  void ExecuteWith(const Node& node, const ScopePtr& scope, Buffer& out, Flow* flow);
  void Assign(const Expr& target, const Value& value, const ScopePtr& target_scope);
  Value MakeMacro(const MacroDef& macro, const ScopePtr& scope);
  // A copy of the text of `value`, filtered.
  Value FilterText(const Expr* filter, Value text, const ScopePtr& scope);

  Value Evaluate(const Expr& expr, const ScopePtr& scope);
  Value EvaluateName(const Expr& expr, const ScopePtr& scope);
  Value EvaluateDict(const Expr& expr, const ScopePtr& scope);
  bool EvaluateCompare(const Expr& expr, const ScopePtr& scope);
  Value EvaluateConcat(const Expr& expr, const ScopePtr& scope);
  Value EvaluateCall(const Expr& expr, const ScopePtr& scope, const Value* caller);
  Value EvaluateFilter(const Expr& expr, const Value& input, const ScopePtr& scope);
  Args EvaluateArgs(const CallArgs& args, const ScopePtr& scope);
  std::vector<Value> EvaluateAll(const std::vector<ExprPtr>& exprs, const ScopePtr& scope);

  const Template& template_;
  Runtime& runtime_;
};

}  // namespace jikji::jinja

#endif  // JIKJI_TEXT_JINJA_EVALUATOR_H_
