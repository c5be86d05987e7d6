// Expressions: one function per level of precedence, from the loosest to the tightest.
#include <fmt/format.h>

#include <algorithm>

#include "text/jinja/parser_impl.h"

namespace jikji::jinja {
namespace {

struct Comparison {
  std::string_view written;
  CompareOp op;
};
constexpr Comparison kComparisons[] = {
    {"==", CompareOp::kEq}, {"!=", CompareOp::kNe}, {"<", CompareOp::kLt},
    {"<=", CompareOp::kLe}, {">", CompareOp::kGt},  {">=", CompareOp::kGe},
};

}  // namespace

ExprPtr Parser::NewExpr(ExprKind kind, uint32_t position) {
  auto node = std::make_unique<Expr>();
  node->kind = kind;
  node->position = position;
  return node;
}

ExprPtr Parser::Finish(ExprPtr node) {
  uint32_t height = 0;
  auto add = [&](const ExprPtr& child) {
    if (child) height = std::max(height, child->height);
  };
  for (const auto& child : node->children) add(child);
  for (const auto& child : node->args.positional) add(child);
  for (const auto& [name, child] : node->args.keyword) add(child);
  add(node->args.star);
  add(node->args.star_star);
  node->height = height + 1;
  if (node->height > max_depth_) TooDeep();
  return node;
}

void Parser::Unknown(std::string message, uint32_t position) {
  if (optional_ == 0 && !unknown_) unknown_ = SyntaxError{std::move(message), position};
}

void Parser::FailIfUnknown() {
  if (unknown_) throw *unknown_;
}

Symbol Parser::UseName(const std::string& name) {
  Uses& uses = uses_.back();
  uses.loop |= name == "loop";
  uses.caller |= name == "caller";
  uses.kwargs |= name == "kwargs";
  uses.varargs |= name == "varargs";
  return template_.symbols.Intern(name);
}

ExprPtr Parser::ParseTuple(bool simplified, bool with_cond, bool parentheses, bool with_namespace) {
  const uint32_t position = Now().position;
  std::vector<ExprPtr> items;
  bool is_tuple = false;
  while (true) {
    if (!items.empty()) ExpectOp(",");
    if (Now().type == TokenType::kVariableEnd || Now().type == TokenType::kBlockEnd || IsOp(")")) {
      break;
    }
    items.push_back(simplified  ? ParsePrimary(with_namespace)
                    : with_cond ? ParseExpression()
                                : ParseOr());
    if (!IsOp(",")) break;
    is_tuple = true;
  }
  if (!is_tuple) {
    if (!items.empty()) return std::move(items[0]);
    if (!parentheses) {
      Fail(fmt::format("Expected an expression, got '{}'", Describe(Now())));
    }
  }
  ExprPtr node = NewExpr(ExprKind::kTuple, position);
  node->children = std::move(items);
  return Finish(std::move(node));
}

ExprPtr Parser::ParseCond() {
  Nest nest(*this);
  const uint32_t position = Now().position;
  std::optional<SyntaxError> unknown = std::exchange(unknown_, std::nullopt);
  ExprPtr result = ParseOr();
  while (SkipName("if")) {
    unknown_.reset();
    ++optional_;
    ExprPtr test = ParseOr();
    ExprPtr otherwise;
    if (SkipName("else")) otherwise = ParseCond();
    --optional_;
    result =
        Make(ExprKind::kCond, position, std::move(test), std::move(result), std::move(otherwise));
  }
  return result;
}

ExprPtr Parser::ParseOr() {
  ExprPtr left = ParseAnd();
  while (IsName("or")) {
    const uint32_t position = Next().position;
    ExprPtr right = ParseAnd();
    left = Make(ExprKind::kOr, position, std::move(left), std::move(right));
  }
  return left;
}

ExprPtr Parser::ParseAnd() {
  ExprPtr left = ParseNot();
  while (IsName("and")) {
    const uint32_t position = Next().position;
    ExprPtr right = ParseNot();
    left = Make(ExprKind::kAnd, position, std::move(left), std::move(right));
  }
  return left;
}

ExprPtr Parser::ParseNot() {
  if (!IsName("not")) return ParseCompare();
  Nest nest(*this);
  const uint32_t position = Next().position;
  return Make(ExprKind::kNot, position, ParseNot());
}

ExprPtr Parser::ParseCompare() {
  const uint32_t position = Now().position;
  ExprPtr first = ParseSum();
  ExprPtr node;
  while (true) {
    CompareOp op = CompareOp::kIn;
    const auto* found =
        std::ranges::find_if(kComparisons, [&](auto& c) { return IsOp(c.written); });
    if (found != std::end(kComparisons)) {
      op = found->op;
    } else if (IsName("not") && Ahead().type == TokenType::kName && Ahead().text == "in") {
      Next();
      op = CompareOp::kNotIn;
    } else if (!IsName("in")) {
      break;
    }
    Next();
    if (!node) {
      node = NewExpr(ExprKind::kCompare, position);
      node->children.push_back(std::move(first));
    }
    node->ops.push_back(op);
    node->children.push_back(ParseSum());
  }
  return node ? Finish(std::move(node)) : std::move(first);
}

ExprPtr Parser::ParseSum() {
  ExprPtr left = ParseConcat();
  while (IsOp("+") || IsOp("-")) {
    const BinaryOp op = IsOp("+") ? BinaryOp::kAdd : BinaryOp::kSub;
    const uint32_t position = Next().position;
    ExprPtr right = ParseConcat();
    left = Make(ExprKind::kBinary, position, std::move(left), std::move(right));
    left->binary = op;
  }
  return left;
}

ExprPtr Parser::ParseConcat() {
  const uint32_t position = Now().position;
  ExprPtr first = ParseProduct();
  if (!IsOp("~")) return first;
  ExprPtr node = NewExpr(ExprKind::kConcat, position);
  node->children.push_back(std::move(first));
  while (SkipOp("~")) node->children.push_back(ParseProduct());
  return Finish(std::move(node));
}

ExprPtr Parser::ParseProduct() {
  ExprPtr left = ParsePower();
  while (IsOp("*") || IsOp("/") || IsOp("//") || IsOp("%")) {
    const BinaryOp op = IsOp("*")    ? BinaryOp::kMul
                        : IsOp("/")  ? BinaryOp::kDiv
                        : IsOp("//") ? BinaryOp::kFloorDiv
                                     : BinaryOp::kMod;
    const uint32_t position = Next().position;
    ExprPtr right = ParsePower();
    left = Make(ExprKind::kBinary, position, std::move(left), std::move(right));
    left->binary = op;
  }
  return left;
}

ExprPtr Parser::ParsePower() {
  // Left to right, unlike Python: jinja2 does it so.
  ExprPtr left = ParseUnary();
  while (IsOp("**")) {
    const uint32_t position = Next().position;
    ExprPtr right = ParseUnary();
    left = Make(ExprKind::kBinary, position, std::move(left), std::move(right));
    left->binary = BinaryOp::kPow;
  }
  return left;
}

ExprPtr Parser::ParseUnary(bool with_filter) {
  Nest nest(*this);
  const uint32_t position = Now().position;
  ExprPtr node;
  if (SkipOp("-")) {
    node = Make(ExprKind::kNegative, position, ParseUnary(false));
  } else if (SkipOp("+")) {
    node = Make(ExprKind::kPositive, position, ParseUnary(false));
  } else {
    node = ParsePrimary(false);
  }
  node = ParsePostfix(std::move(node));
  return with_filter ? ParseFilterExpr(std::move(node)) : std::move(node);
}

ExprPtr Parser::ParsePrimary(bool with_namespace) {
  Nest nest(*this);
  const uint32_t position = Now().position;
  if (Now().type == TokenType::kName) {
    const std::string name = Next().text;
    ExprPtr node = NewExpr(ExprKind::kConst, position);
    if (name == "true" || name == "True" || name == "false" || name == "False") {
      node->constant = Value::Bool(name == "true" || name == "True");
    } else if (name == "none" || name == "None") {
      node->constant = Value::None();
    } else if (with_namespace && IsOp(".")) {
      Next();
      node->kind = ExprKind::kNamespaceRef;
      node->symbol = template_.symbols.Intern(name);
      node->name = ExpectIdentifier();
    } else {
      node->kind = ExprKind::kName;
      node->symbol = UseName(name);
    }
    return node;
  }
  if (Now().type == TokenType::kString) {
    std::string text = Next().text;
    while (Now().type == TokenType::kString) text += Next().text;
    ExprPtr node = NewExpr(ExprKind::kConst, position);
    node->constant = Value::Constant(std::move(text));
    return node;
  }
  if (Now().type == TokenType::kInteger || Now().type == TokenType::kFloat) {
    ExprPtr node = NewExpr(ExprKind::kConst, position);
    const Token& token = Next();
    node->constant =
        token.type == TokenType::kInteger ? Value::Int(token.integer) : Value::Float(token.number);
    return node;
  }
  if (SkipOp("(")) {
    ExprPtr node = ParseTuple(false, true, true, false);
    ExpectOp(")");
    return node;
  }
  if (IsOp("[")) return ParseListLiteral();
  if (IsOp("{")) return ParseDictLiteral();
  Fail(fmt::format("unexpected '{}'", Describe(Now())));
}

ExprPtr Parser::ParseListLiteral() {
  ExprPtr node = NewExpr(ExprKind::kList, Next().position);
  while (!IsOp("]")) {
    if (!node->children.empty()) ExpectOp(",");
    if (IsOp("]")) break;
    node->children.push_back(ParseExpression());
  }
  Next();
  return Finish(std::move(node));
}

ExprPtr Parser::ParseDictLiteral() {
  ExprPtr node = NewExpr(ExprKind::kDict, Next().position);
  while (!IsOp("}")) {
    if (!node->children.empty()) ExpectOp(",");
    if (IsOp("}")) break;
    node->children.push_back(ParseExpression());
    ExpectOp(":");
    node->children.push_back(ParseExpression());
  }
  Next();
  return Finish(std::move(node));
}

ExprPtr Parser::ParsePostfix(ExprPtr node) {
  while (true) {
    if (IsOp(".") || IsOp("[")) {
      node = ParseSubscript(std::move(node));
    } else if (IsOp("(")) {
      node = ParseCallExpr(std::move(node));
    } else {
      return node;
    }
  }
}

ExprPtr Parser::ParseFilterExpr(ExprPtr node) {
  while (true) {
    if (IsOp("|")) {
      node = ParseFilter(std::move(node), false);
    } else if (IsName("is")) {
      node = ParseTest(std::move(node));
    } else if (IsOp("(")) {
      node = ParseCallExpr(std::move(node));
    } else {
      return node;
    }
  }
}

ExprPtr Parser::ParseSubscript(ExprPtr node) {
  const uint32_t position = Now().position;
  if (SkipOp(".")) {
    const Token& name = Next();
    if (name.type == TokenType::kName) {
      ExprPtr result = Make(ExprKind::kAttribute, position, std::move(node));
      result->name = name.text;
      return result;
    }
    if (name.type != TokenType::kInteger) Fail("expected name or number", name.position);
    ExprPtr key = NewExpr(ExprKind::kConst, name.position);
    key->constant = Value::Int(name.integer);
    return Make(ExprKind::kItem, position, std::move(node), std::move(key));
  }
  ExpectOp("[");
  auto at_end = [&] { return IsOp("]") || IsOp(","); };
  std::vector<ExprPtr> keys;
  bool is_slice = false;
  ExprPtr parts[3];
  while (!IsOp("]")) {
    if (!keys.empty() || is_slice) ExpectOp(",");
    if (is_slice) Unsupported("a slice among other subscripts", position);
    ExprPtr first;
    if (!IsOp(":")) first = ParseExpression();
    if (!IsOp(":")) {
      keys.push_back(std::move(first));
      continue;
    }
    if (!keys.empty()) Unsupported("a slice among other subscripts", position);
    is_slice = true;
    Next();
    parts[0] = std::move(first);
    if (!IsOp(":") && !at_end()) parts[1] = ParseExpression();
    if (SkipOp(":") && !at_end()) parts[2] = ParseExpression();
  }
  Next();
  if (is_slice) {
    return Make(ExprKind::kSlice, position, std::move(node), std::move(parts[0]),
                std::move(parts[1]), std::move(parts[2]));
  }
  if (keys.size() == 1) {
    return Make(ExprKind::kItem, position, std::move(node), std::move(keys[0]));
  }
  ExprPtr key = NewExpr(ExprKind::kTuple, position);
  key->children = std::move(keys);
  key = Finish(std::move(key));
  return Make(ExprKind::kItem, position, std::move(node), std::move(key));
}

CallArgs Parser::ParseArgs() {
  const uint32_t position = Now().position;
  ExpectOp("(");
  CallArgs args;
  auto ensure = [&](bool valid) {
    if (!valid) Fail("invalid syntax for function call expression", position);
  };
  for (bool first = true; !IsOp(")"); first = false) {
    if (!first) {
      ExpectOp(",");
      if (IsOp(")")) break;
    }
    if (SkipOp("*")) {
      ensure(!args.star && !args.star_star);
      args.star = ParseExpression();
    } else if (SkipOp("**")) {
      ensure(!args.star_star);
      args.star_star = ParseExpression();
    } else if (Now().type == TokenType::kName && Ahead().type == TokenType::kOperator &&
               Ahead().text == "=") {
      ensure(!args.star_star);
      std::string name = Next().text;
      Next();
      for (const auto& [other, value] : args.keyword) {
        if (other == name) Fail(fmt::format("keyword argument repeated: {}", name), position);
      }
      args.keyword.emplace_back(std::move(name), ParseExpression());
    } else {
      ensure(!args.star && !args.star_star && args.keyword.empty());
      args.positional.push_back(ParseExpression());
    }
  }
  ExpectOp(")");
  return args;
}

ExprPtr Parser::ParseCallExpr(ExprPtr callee) {
  ExprPtr node = NewExpr(ExprKind::kCall, Now().position);
  node->children.push_back(std::move(callee));
  node->args = ParseArgs();
  return Finish(std::move(node));
}

std::string Parser::ParseDottedName() {
  std::string name = ExpectIdentifier();
  while (SkipOp(".")) {
    name += '.';
    name += ExpectIdentifier();
  }
  return name;
}

ExprPtr Parser::ParseFilter(ExprPtr node, bool inline_start) {
  while (IsOp("|") || inline_start) {
    if (!inline_start) Next();
    inline_start = false;
    ExprPtr filter = NewExpr(ExprKind::kFilter, Now().position);
    filter->name = ParseDottedName();
    filter->filter = FindFilter(filter->name);
    if (IsUnsupportedFilter(filter->name)) {
      Unsupported(fmt::format("the filter '{}'", filter->name), filter->position);
    }
    if (!filter->filter)
      Unknown(fmt::format("No filter named '{}'.", filter->name), filter->position);
    if (IsOp("(")) filter->args = ParseArgs();
    filter->children.push_back(std::move(node));
    node = Finish(std::move(filter));
  }
  return node;
}

ExprPtr Parser::ParseTest(ExprPtr node) {
  ExprPtr test = NewExpr(ExprKind::kTest, Next().position);
  const bool negated = SkipName("not");
  test->name = ParseDottedName();
  test->test = FindTest(test->name);
  if (!test->test) Unknown(fmt::format("No test named '{}'.", test->name), test->position);
  const TokenType type = Now().type;
  if (IsOp("(")) {
    test->args = ParseArgs();
  } else if ((type == TokenType::kName || type == TokenType::kString ||
              type == TokenType::kInteger || type == TokenType::kFloat || IsOp("[") || IsOp("{")) &&
             !IsAnyName({"else", "or", "and"})) {
    if (IsName("is")) Fail("You cannot chain multiple tests with is");
    test->args.positional.push_back(ParsePostfix(ParsePrimary(false)));
  }
  test->children.push_back(std::move(node));
  const uint32_t position = test->position;
  node = Finish(std::move(test));
  return negated ? Make(ExprKind::kNot, position, std::move(node)) : std::move(node);
}

}  // namespace jikji::jinja
