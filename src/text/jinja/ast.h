// A template as a tree. Immutable once parsed; shared by every render.
#ifndef JIKJI_TEXT_JINJA_AST_H_
#define JIKJI_TEXT_JINJA_AST_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace jikji::jinja {

using Symbol = uint32_t;

// Names of variables, interned.
class Symbols {
 public:
  Symbol Intern(const std::string& name) {
    auto [entry, added] = ids_.emplace(name, static_cast<Symbol>(names_.size()));
    if (added) names_.push_back(&entry->first);  // keys of a node-based map do not move
    return entry->second;
  }
  std::optional<Symbol> Find(const std::string& name) const {
    const auto found = ids_.find(name);
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
  }
  const std::string& Name(Symbol symbol) const { return *names_[symbol]; }
  size_t size() const { return names_.size(); }

 private:
  std::unordered_map<std::string, Symbol> ids_;
  std::vector<const std::string*> names_;
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct CallArgs {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<std::string, ExprPtr>> keyword;
  ExprPtr star, star_star;  // *args, **kwargs; may be null
};

enum class ExprKind : uint8_t {
  kConst,
  kName,
  kList,
  kTuple,
  kDict,  // children: key, value, key, value, ...
  kNegative,
  kPositive,
  kNot,
  kAnd,
  kOr,
  kBinary,
  kCompare,  // children[0] ops[0] children[1] ops[1] ...
  kConcat,
  kCond,  // test, then, otherwise (may be absent)
  kAttribute,
  kItem,   // object, key
  kSlice,  // object, start, stop, step (each but the first may be null)
  kCall,
  kFilter,  // children[0] is null where a block is filtered
  kTest,
  kNamespaceRef,  // only as a target: symbol.name
};

struct Expr {
  ExprKind kind = ExprKind::kConst;
  BinaryOp binary = BinaryOp::kAdd;
  uint32_t position = 0;
  uint32_t height = 1;
  Symbol symbol = 0;
  Value constant;
  std::string name;  // attribute, filter, test
  FilterFn filter = nullptr;
  TestFn test = nullptr;
  std::vector<CompareOp> ops;
  std::vector<ExprPtr> children;
  CallArgs args;
};

struct Node;
using NodePtr = std::unique_ptr<Node>;
using Body = std::vector<NodePtr>;

enum class NodeKind : uint8_t {
  kData,
  kOutput,  // exprs
  kIf,      // branches of (test or null, body)
  kFor,
  kSet,       // target = exprs[0]
  kSetBlock,  // target, filter (may be null), body
  kMacro,
  kCallBlock,    // call, macro
  kFilterBlock,  // filter, body
  kWith,         // targets = exprs
  kScope,        // body in a scope of its own: generation
  kBreak,
  kContinue,
};

struct Branch {
  ExprPtr test;  // null: else
  Body body;
};

struct MacroDef {
  std::string name;
  std::vector<std::string> parameter_names;
  std::vector<Symbol> parameters;
  std::vector<ExprPtr> defaults;  // of the last parameters
  bool uses_caller = false, uses_kwargs = false, uses_varargs = false;
  bool explicit_caller = false;
  Symbol caller = 0, kwargs = 0, varargs = 0;
  Body body;
};

struct Node {
  NodeKind kind = NodeKind::kData;
  uint32_t position = 0;
  std::string data;
  std::vector<ExprPtr> exprs;
  std::vector<ExprPtr> targets;
  ExprPtr filter;  // of a block
  Body body;
  Body otherwise;  // else of a loop
  std::vector<Branch> branches;
  std::unique_ptr<MacroDef> macro;
  Symbol symbol = 0;  // of a macro
  ExprPtr test;       // `if` of a loop
  bool recursive = false;
  bool uses_loop = false;  // a name `loop` stands in the body
};

struct Template {
  std::string source;  // normalized
  Symbols symbols;
  Symbol loop = 0;
  Body body;
};

}  // namespace jikji::jinja

#endif  // JIKJI_TEXT_JINJA_AST_H_
