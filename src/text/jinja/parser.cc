#include "text/jinja/parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/jinja/parser_impl.h"

namespace jikji::jinja {

std::string Parser::Describe(const Token& token) {
  switch (token.type) {
    case TokenType::kData:
      return "template data / text";
    case TokenType::kVariableBegin:
      return "begin of print statement";
    case TokenType::kVariableEnd:
      return "end of print statement";
    case TokenType::kBlockBegin:
      return "begin of statement block";
    case TokenType::kBlockEnd:
      return "end of statement block";
    case TokenType::kInteger:
      return std::to_string(token.integer);
    case TokenType::kFloat:
      return ReprFloat(token.number);
    case TokenType::kEnd:
      return "end of template";
    default:
      return token.text;
  }
}

void Parser::Fail(std::string message, uint32_t position) const {
  throw SyntaxError{std::move(message), position};
}

void Parser::Unsupported(std::string what, uint32_t position) const {
  throw SyntaxError{what + " is not supported", position, true};
}

void Parser::TooDeep() const {
  throw SyntaxError{fmt::format("nested deeper than {} levels", max_depth_), Now().position, false,
                    true};
}

bool Parser::IsAnyName(Words words) const {
  return Now().type == TokenType::kName && std::ranges::find(words, Now().text) != words.end();
}

bool Parser::SkipOp(std::string_view text) {
  if (!IsOp(text)) return false;
  Next();
  return true;
}

bool Parser::SkipName(std::string_view text) {
  if (!IsName(text)) return false;
  Next();
  return true;
}

void Parser::ExpectOp(std::string_view text) {
  if (!SkipOp(text)) Fail(fmt::format("expected token '{}', got '{}'", text, Describe(Now())));
}

void Parser::ExpectName(std::string_view text) {
  if (!SkipName(text)) Fail(fmt::format("expected token '{}', got '{}'", text, Describe(Now())));
}

void Parser::ExpectBlockEnd() {
  if (Now().type != TokenType::kBlockEnd) {
    Fail(fmt::format("expected token 'end of statement block', got '{}'", Describe(Now())));
  }
  Next();
}

std::string Parser::ExpectIdentifier() {
  if (Now().type != TokenType::kName) {
    Fail(fmt::format("expected token 'name', got '{}'", Describe(Now())));
  }
  return Next().text;
}

NodePtr Parser::NewNode(NodeKind kind) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->position = Now().position;
  return node;
}

void Parser::Run() {
  template_.loop = template_.symbols.Intern("loop");
  template_.body = ParseBody({});
}

Body Parser::ParseBody(Words ends) {
  Nest nest(*this);
  Body body;
  while (Now().type != TokenType::kEnd) {
    if (Now().type == TokenType::kData) {
      NodePtr node = NewNode(NodeKind::kData);
      node->data = Next().text;
      body.push_back(std::move(node));
    } else if (Now().type == TokenType::kVariableBegin) {
      Next();
      NodePtr node = NewNode(NodeKind::kOutput);
      node->exprs.push_back(ParseTuple(false, true, false, false));
      if (Now().type != TokenType::kVariableEnd) {
        Fail(fmt::format("expected token 'end of print statement', got '{}'", Describe(Now())));
      }
      Next();
      FailIfUnknown();
      body.push_back(std::move(node));
    } else {
      Next();  // the lexer gives nothing but kBlockBegin here
      if (IsAnyName(ends)) return body;
      body.push_back(ParseStatement());
      FailIfUnknown();
      ExpectBlockEnd();
    }
  }
  if (ends.size() > 0) {
    Fail(
        fmt::format("Unexpected end of template. Jinja was looking for the following tags: "
                    "'{}'. The innermost block that needs to be closed is '{}'.",
                    fmt::join(ends, "' or '"), tags_.empty() ? "" : tags_.back()));
  }
  return body;
}

Body Parser::ParseBlock(Words ends, bool drop) {
  SkipOp(":");
  ExpectBlockEnd();
  Body body = ParseBody(ends);
  if (drop) Next();
  return body;
}

NodePtr Parser::ParseStatement() {
  Nest nest(*this);
  if (Now().type != TokenType::kName) Fail("tag name expected");
  const std::string tag = Now().text;
  const uint32_t position = Now().position;
  tags_.push_back(tag);
  NodePtr node;
  if (tag == "for") {
    node = ParseFor();
  } else if (tag == "if") {
    node = ParseIf();
  } else if (tag == "set") {
    node = ParseSet();
  } else if (tag == "macro") {
    node = ParseMacro();
  } else if (tag == "call") {
    node = ParseCall();
  } else if (tag == "filter") {
    node = ParseFilterBlock();
  } else if (tag == "with") {
    node = ParseWith();
  } else if (tag == "print") {
    node = ParsePrint();
  } else if (tag == "break") {
    node = ParseLoopControl(NodeKind::kBreak);
  } else if (tag == "continue") {
    node = ParseLoopControl(NodeKind::kContinue);
  } else if (tag == "generation") {
    // transformers marks the assistant's tokens with it; the text is that of the body.
    node = NewNode(NodeKind::kScope);
    Next();
    const size_t loops = std::exchange(loops_, 0);
    const size_t optional = std::exchange(optional_, 0);
    node->body = ParseBlock({"endgeneration"}, true);
    loops_ = loops;
    optional_ = optional;
  } else if (tag == "block" || tag == "extends" || tag == "include" || tag == "import" ||
             tag == "from" || tag == "autoescape") {
    Unsupported(fmt::format("the tag '{}'", tag), position);
  } else {
    tags_.pop_back();
    Fail(tags_.empty() ? fmt::format("Encountered unknown tag '{}'.", tag)
                       : fmt::format("Encountered unknown tag '{}'. The innermost block that "
                                     "needs to be closed is '{}'.",
                                     tag, tags_.back()),
         position);
  }
  tags_.pop_back();
  return node;
}

NodePtr Parser::ParseFor() {
  NodePtr node = NewNode(NodeKind::kFor);
  Next();
  node->targets.push_back(ParseTarget(true, false));
  ExpectName("in");
  node->exprs.push_back(ParseTuple(false, false, false, false));
  if (SkipName("if")) node->test = ParseExpression();
  node->recursive = SkipName("recursive");
  uses_.emplace_back();
  ++loops_;
  const size_t optional = std::exchange(optional_, 0);
  node->body = ParseBlock({"endfor", "else"}, false);
  --loops_;
  const Uses uses = uses_.back();
  uses_.pop_back();
  uses_.back().loop |= uses.loop;
  uses_.back().caller |= uses.caller;
  uses_.back().kwargs |= uses.kwargs;
  uses_.back().varargs |= uses.varargs;
  node->uses_loop = uses.loop || node->recursive;
  if (Next().text == "else") node->otherwise = ParseBlock({"endfor"}, true);
  optional_ = optional;
  return node;
}

NodePtr Parser::ParseIf() {
  NodePtr node = NewNode(NodeKind::kIf);
  Next();
  ++optional_;
  while (true) {
    Branch branch;
    branch.test = ParseTuple(false, false, false, false);
    branch.body = ParseBlock({"elif", "else", "endif"}, false);
    node->branches.push_back(std::move(branch));
    const std::string tag = Next().text;
    if (tag == "elif") continue;
    if (tag == "else") {
      Branch last;
      last.body = ParseBlock({"endif"}, true);
      node->branches.push_back(std::move(last));
    }
    break;
  }
  --optional_;
  return node;
}

NodePtr Parser::ParseSet() {
  NodePtr node = NewNode(NodeKind::kSet);
  Next();
  node->targets.push_back(ParseTarget(false, true));
  if (SkipOp("=")) {
    node->exprs.push_back(ParseTuple(false, true, false, false));
    return node;
  }
  node->kind = NodeKind::kSetBlock;
  if (IsOp("|")) node->filter = ParseFilter(nullptr, false);
  const size_t optional = std::exchange(optional_, 0);
  node->body = ParseBlock({"endset"}, true);
  optional_ = optional;
  return node;
}

void Parser::ParseSignature(MacroDef* macro) {
  ExpectOp("(");
  while (!IsOp(")")) {
    if (!macro->parameters.empty()) ExpectOp(",");
    const std::string name = ExpectIdentifier();
    if (IsOp("=")) {
      Next();
      macro->defaults.push_back(ParseExpression());
    } else if (!macro->defaults.empty()) {
      Fail("non-default argument follows default argument");
    }
    if (std::ranges::find(macro->parameter_names, name) != macro->parameter_names.end()) {
      Fail(fmt::format("duplicate argument '{}' in function definition", name));
    }
    macro->parameters.push_back(template_.symbols.Intern(name));
    macro->parameter_names.push_back(name);
  }
  ExpectOp(")");
}

void Parser::ParseMacroBody(MacroDef* macro, std::string_view end) {
  uses_.emplace_back();
  const size_t loops = std::exchange(loops_, 0);
  const size_t optional = std::exchange(optional_, 0);
  macro->body = ParseBlock({end}, true);
  loops_ = loops;
  optional_ = optional;
  const Uses uses = uses_.back();
  uses_.pop_back();
  Uses& outer = uses_.back();
  outer.loop |= uses.loop;
  outer.caller |= uses.caller;
  outer.kwargs |= uses.kwargs;
  outer.varargs |= uses.varargs;
  auto is_parameter = [&](std::string_view name) {
    return std::ranges::find(macro->parameter_names, name) != macro->parameter_names.end();
  };
  macro->explicit_caller = is_parameter("caller");
  macro->uses_caller = uses.caller && !macro->explicit_caller;
  macro->uses_kwargs = uses.kwargs && !is_parameter("kwargs");
  macro->uses_varargs = uses.varargs && !is_parameter("varargs");
  macro->caller = template_.symbols.Intern("caller");
  macro->kwargs = template_.symbols.Intern("kwargs");
  macro->varargs = template_.symbols.Intern("varargs");
  if (macro->explicit_caller && macro->defaults.empty()) {
    Fail("When using macros with the \"caller\" argument, it must be optional");
  }
}

NodePtr Parser::ParseMacro() {
  NodePtr node = NewNode(NodeKind::kMacro);
  Next();
  node->macro = std::make_unique<MacroDef>();
  node->macro->name = ExpectIdentifier();
  node->symbol = template_.symbols.Intern(node->macro->name);
  ParseSignature(node->macro.get());
  ParseMacroBody(node->macro.get(), "endmacro");
  return node;
}

NodePtr Parser::ParseCall() {
  NodePtr node = NewNode(NodeKind::kCallBlock);
  Next();
  node->macro = std::make_unique<MacroDef>();
  node->macro->name = "caller";
  if (IsOp("(")) ParseSignature(node->macro.get());
  const uint32_t position = Now().position;
  node->exprs.push_back(ParseExpression());
  if (node->exprs[0]->kind != ExprKind::kCall) Fail("expected call", position);
  ParseMacroBody(node->macro.get(), "endcall");
  return node;
}

NodePtr Parser::ParseFilterBlock() {
  NodePtr node = NewNode(NodeKind::kFilterBlock);
  Next();
  node->filter = ParseFilter(nullptr, true);
  const size_t optional = std::exchange(optional_, 0);
  node->body = ParseBlock({"endfilter"}, true);
  optional_ = optional;
  return node;
}

NodePtr Parser::ParseWith() {
  NodePtr node = NewNode(NodeKind::kWith);
  Next();
  while (Now().type != TokenType::kBlockEnd) {
    if (!node->targets.empty()) ExpectOp(",");
    node->targets.push_back(ParseTarget(false, false));
    ExpectOp("=");
    node->exprs.push_back(ParseExpression());
  }
  const size_t optional = std::exchange(optional_, 0);
  node->body = ParseBlock({"endwith"}, true);
  optional_ = optional;
  return node;
}

NodePtr Parser::ParsePrint() {
  NodePtr node = NewNode(NodeKind::kOutput);
  Next();
  while (Now().type != TokenType::kBlockEnd) {
    if (!node->exprs.empty()) ExpectOp(",");
    node->exprs.push_back(ParseExpression());
  }
  return node;
}

NodePtr Parser::ParseLoopControl(NodeKind kind) {
  NodePtr node = NewNode(kind);
  if (loops_ == 0) Fail(fmt::format("'{}' outside loop", Now().text));
  Next();
  return node;
}

ExprPtr Parser::ParseTarget(bool of_loop, bool with_namespace) {
  const uint32_t position = Now().position;
  ExprPtr target = ParseTuple(true, true, false, with_namespace);
  std::vector<const Expr*> pending{target.get()};
  while (!pending.empty()) {
    const Expr* part = pending.back();
    pending.pop_back();
    if (part->kind == ExprKind::kTuple || part->kind == ExprKind::kList) {
      if (part->kind == ExprKind::kList) Fail("can't assign to 'list'", position);
      for (const auto& child : part->children) pending.push_back(child.get());
    } else if (part->kind != ExprKind::kName && part->kind != ExprKind::kNamespaceRef) {
      Fail("can't assign to 'const'", position);
    } else if (part->kind == ExprKind::kName && of_loop && part->symbol == template_.loop) {
      Fail("can't assign to special loop variable in for-loop target", position);
    }
  }
  return target;
}

Template ParseTemplate(std::string_view source, size_t max_depth) {
  Template result;
  result.source = NormalizeSource(source);
  Parser parser(&result, Tokenize(result.source), max_depth);
  parser.Run();
  return result;
}

}  // namespace jikji::jinja
