// The parser's state, shared by its two halves: statements (parser.cc), expressions
// (expression_parser.cc).
#ifndef JIKJI_TEXT_JINJA_PARSER_IMPL_H_
#define JIKJI_TEXT_JINJA_PARSER_IMPL_H_

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/lexer.h"

namespace jikji::jinja {

class Parser {
 public:
  Parser(Template* result, std::vector<Token> tokens, size_t max_depth)
      : template_(*result), tokens_(std::move(tokens)), max_depth_(max_depth) {}

  void Run();

 private:
  class Nest {
   public:
    explicit Nest(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > parser_.max_depth_) parser_.TooDeep();
    }
    ~Nest() { --parser_.depth_; }

   private:
    Parser& parser_;
  };
  using Words = std::initializer_list<std::string_view>;

  // Tokens.
  const Token& Now() const { return tokens_[at_]; }
  const Token& Ahead() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  const Token& Next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool IsOp(std::string_view text) const {
    return Now().type == TokenType::kOperator && Now().text == text;
  }
  bool IsName(std::string_view text) const {
    return Now().type == TokenType::kName && Now().text == text;
  }
  bool IsAnyName(Words words) const;
  bool SkipOp(std::string_view text);
  bool SkipName(std::string_view text);
  void ExpectOp(std::string_view text);
  void ExpectName(std::string_view text);
  void ExpectBlockEnd();
  std::string ExpectIdentifier();
  [[noreturn]] void Fail(std::string message, uint32_t position) const;
  [[noreturn]] void Fail(std::string message) const { Fail(std::move(message), Now().position); }
  [[noreturn]] void Unsupported(std::string what, uint32_t position) const;
  [[noreturn]] void TooDeep() const;
  static std::string Describe(const Token& token);

  // Statements.
  Body ParseBody(Words ends);              // up to a tag of `ends`, which is left
  Body ParseBlock(Words ends, bool drop);  // the end of this tag, then a body
  NodePtr ParseStatement();
  NodePtr ParseFor();
  NodePtr ParseIf();
  NodePtr ParseSet();
  NodePtr ParseMacro();
  NodePtr ParseCall();
  NodePtr ParseFilterBlock();
  NodePtr ParseWith();
  NodePtr ParsePrint();
  NodePtr ParseLoopControl(NodeKind kind);
  void ParseSignature(MacroDef* macro);
  // A macro's body, with what it makes use of.
  void ParseMacroBody(MacroDef* macro, std::string_view end);
  ExprPtr ParseTarget(bool of_loop, bool with_namespace);
  NodePtr NewNode(NodeKind kind);

  // Expressions.
  ExprPtr ParseTuple(bool simplified, bool with_cond, bool parentheses, bool with_namespace);
  ExprPtr ParseExpression() { return ParseCond(); }
  ExprPtr ParseCond();
  ExprPtr ParseOr();
  ExprPtr ParseAnd();
  ExprPtr ParseNot();
  ExprPtr ParseCompare();
  ExprPtr ParseSum();
  ExprPtr ParseConcat();
  ExprPtr ParseProduct();
  ExprPtr ParsePower();
  ExprPtr ParseUnary(bool with_filter = true);
  ExprPtr ParsePrimary(bool with_namespace);
  ExprPtr ParsePostfix(ExprPtr node);
  ExprPtr ParseFilterExpr(ExprPtr node);
  ExprPtr ParseSubscript(ExprPtr node);
  ExprPtr ParseCallExpr(ExprPtr node);
  ExprPtr ParseFilter(ExprPtr node, bool inline_start);
  ExprPtr ParseTest(ExprPtr node);
  CallArgs ParseArgs();
  ExprPtr ParseListLiteral();
  ExprPtr ParseDictLiteral();
  ExprPtr NewExpr(ExprKind kind, uint32_t position);
  // Sets the height from the children, which bounds the depth of evaluation.
  ExprPtr Finish(ExprPtr node);
  template <class... Children>
  ExprPtr Make(ExprKind kind, uint32_t position, Children... children) {
    ExprPtr node = NewExpr(kind, position);
    (node->children.push_back(std::move(children)), ...);
    return Finish(std::move(node));
  }
  std::string ParseDottedName();
  // Notes that there is no such filter or test.
  void Unknown(std::string message, uint32_t position);
  void FailIfUnknown();
  Symbol UseName(const std::string& name);

  Template& template_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  const size_t max_depth_;
  size_t depth_ = 0;
  size_t loops_ = 0;  // loops around, within this macro
  // Inside an `if` an unknown filter is an error only when it is reached: jinja2 lets a template
  // ask whether a filter is there.
  size_t optional_ = 0;
  // An unknown filter or test that is an error unless an `if` follows its expression.
  std::optional<SyntaxError> unknown_;
  std::vector<std::string> tags_;  // open ones
  // What names have been used, one set of flags per macro and loop that is open.
  struct Uses {
    bool loop = false, caller = false, kwargs = false, varargs = false;
  };
  std::vector<Uses> uses_{1};
};

}  // namespace jikji::jinja

#endif  // JIKJI_TEXT_JINJA_PARSER_IMPL_H_
