// One render: its limits, its errors, and the operations of Python that everything else is built
// of.
//
// An operation that fails throws Failure, which ChatTemplate catches: an interpreter in which every
// operation may fail has one way out, and no exception leaves this module. Non-goals: evaluating
// the tree (evaluator.h).
#ifndef JIKJI_TEXT_JINJA_RUNTIME_H_
#define JIKJI_TEXT_JINJA_RUNTIME_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "text/chat_template.h"
#include "text/jinja/value.h"

namespace jikji::jinja {

struct Failure {
  ErrorCode code = ErrorCode::kInvalidArgument;
  std::string message;
};

// What Python would raise as TypeError, ValueError, OverflowError, ...
[[noreturn]] void Raise(std::string message);
// An integer that does not fit 64 bits.
[[noreturn]] void RaiseOverflow();
// jinja2 knows it, this interpreter does not.
[[noreturn]] void RaiseUnsupported(std::string what);

class Runtime {
 public:
  Runtime(const TemplateLimits& limits, int64_t now) : limits_(limits), now_(now) {}
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  ~Runtime();

  // Pays for work; throws when the render has done too much.
  void Step(uint64_t count = 1) {
    steps_ += count;
    if (steps_ > limits_.max_steps) StepsExhausted();
  }
  // Pays for walking over that many bytes.
  void StepBytes(size_t bytes) { Step(1 + bytes / 512); }
  // Throws if that many bytes more would be too much. Call it before making them.
  void CheckBytes(size_t bytes) const {
    if (bytes > limits_.max_output || budget_.live > limits_.max_output - bytes) BytesExhausted();
  }
  [[noreturn]] void StepsExhausted() const;
  [[noreturn]] void BytesExhausted() const;
  [[noreturn]] void TooDeep() const;

  int64_t now() const { return now_; }
  size_t max_depth() const { return limits_.max_depth; }
  Budget* budget() { return &budget_; }

  // Makers of values: within the limits, or a Failure.
  Value String(std::string text, bool markup = false);
  Value List(std::vector<Value> items) { return Sequence(Type::kList, std::move(items)); }
  Value Tuple(std::vector<Value> items) { return Sequence(Type::kTuple, std::move(items)); }
  Value Sequence(Type type, std::vector<Value> items, const char* name = "");
  // Keys may repeat: the last value wins, in the place of the first.
  Value Dict(std::vector<std::pair<Value, Value>> entries);
  Value Iterator(std::vector<Value> items);
  // An iterator that gives `items`, then fails.
  Value Iterator(std::vector<Value> items, Failure failure);
  Value Range(int64_t start, int64_t stop, int64_t step);
  Value Undefined(std::string message);
  // "'dict object' has no attribute 'x'"
  Value UndefinedAttribute(const Value& object, std::string_view name);

  uint32_t DepthOf(const std::vector<Value>& items) const;

  // Keeps what can form cycles; the render ends by emptying them one by one.
  void Keep(std::shared_ptr<NamespaceObject> object) { namespaces_.push_back(std::move(object)); }
  void Keep(std::shared_ptr<CallableObject> object) { callables_.push_back(std::move(object)); }

  // Counts nesting of evaluation, so that the stack is bounded.
  class Nest {
   public:
    explicit Nest(Runtime& runtime) : runtime_(runtime) {
      // A macro's body is a dozen levels of nodes: ten for each of the levels promised.
      if (++runtime_.nesting_ > runtime_.limits_.max_depth * 10) {
        --runtime_.nesting_;
        runtime_.TooDeep();
      }
    }
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;
    ~Nest() { --runtime_.nesting_; }

   private:
    Runtime& runtime_;
  };

  // Where in the source evaluation is: a byte offset.
  uint32_t position = 0;
  size_t calls = 0;  // macros and recursive loops now running

 private:
  const TemplateLimits& limits_;
  const int64_t now_;
  uint64_t steps_ = 0;
  size_t nesting_ = 0;
  Budget budget_;
  std::vector<std::shared_ptr<NamespaceObject>> namespaces_;
  std::vector<std::shared_ptr<CallableObject>> callables_;
};

// Text under construction; counted in the budget.
class Buffer {
 public:
  explicit Buffer(Runtime& runtime) : runtime_(runtime) {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { runtime_.budget()->live -= text_.size(); }

  void Append(std::string_view text) {
    runtime_.CheckBytes(text.size());
    runtime_.StepBytes(text.size());
    text_ += text;
    runtime_.budget()->live += text.size();
  }
  const std::string& text() const { return text_; }
  std::string Take() {
    runtime_.budget()->live -= text_.size();
    return std::exchange(text_, {});
  }

 private:
  Runtime& runtime_;
  std::string text_;
};

// Parameters of a function of ours, matched to a call's arguments as Python does. A parameter that
// was not given is nullptr.
class Bound {
 public:
  Bound(const Args& args, std::string_view function, std::initializer_list<const char*> names,
        size_t required = 0);
  const Value* operator[](size_t index) const { return values_[index]; }
  const Value& Get(size_t index) const { return *values_[index]; }
  bool Flag(size_t index, bool otherwise = false) const;
  // An int parameter; `otherwise` where it is absent.
  int64_t Integer(size_t index, int64_t otherwise) const;
  // A str parameter that must be one.
  std::string_view Text(size_t index, std::string_view otherwise = {}) const;

 private:
  static constexpr size_t kMost = 5;
  const Value* values_[kMost] = {};
  std::string_view function_;
};

// --- text.cc: what values look like ---------------------------------------------------------
const char* TypeName(const Value& value);                            // "str", "dict", "NoneType"
void AppendStr(Runtime& runtime, const Value& value, Buffer& out);   // str(value)
void AppendRepr(Runtime& runtime, const Value& value, Buffer& out);  // repr(value)
std::string Str(Runtime& runtime, const Value& value);
std::string Repr(Runtime& runtime, const Value& value);
std::string ReprString(std::string_view text);  // of a str
std::string ReprFloat(double number);
// soft_str: the value itself where it is a string.
Value SoftStr(Runtime& runtime, const Value& value);
std::string EscapeHtml(std::string_view text);

// --- operators.cc ---------------------------------------------------------------------------
enum class BinaryOp : uint8_t { kAdd, kSub, kMul, kDiv, kFloorDiv, kMod, kPow };
enum class CompareOp : uint8_t { kEq, kNe, kLt, kLe, kGt, kGe, kIn, kNotIn };

bool Truth(const Value& value);
Value Binary(Runtime& runtime, BinaryOp op, const Value& left, const Value& right);
Value Negative(Runtime& runtime, const Value& value);
Value Positive(Runtime& runtime, const Value& value);
bool Equal(Runtime& runtime, const Value& left, const Value& right);
bool Less(Runtime& runtime, const Value& left, const Value& right, const char* symbol = "<");
bool Contains(Runtime& runtime, const Value& container, const Value& item);
bool Compare(Runtime& runtime, CompareOp op, const Value& left, const Value& right);
// Throws for what Python cannot hash.
void RequireHashable(const Value& value);
// Throws where the value is undefined, saying why.
void RequireDefined(const Value& value);
// nullptr where the key is absent.
const Value* DictGet(Runtime& runtime, const Value& dict, const Value& key);

// --- iteration.cc ---------------------------------------------------------------------------
// Walks over anything that Python iterates over. Iterators are consumed.
class Walk {
 public:
  Walk(Runtime& runtime, Value value);  // throws where it cannot be iterated
  bool Next(Value* item);
  // Items left, where Python knows len() of the value; -1 of an iterator.
  int64_t sized() const { return sized_; }

 private:
  Runtime& runtime_;
  Value value_;
  size_t position_ = 0;
  int64_t sized_ = -1;
};
bool IsIterable(const Value& value);
std::vector<Value> ToVector(Runtime& runtime, const Value& value);
// len(value); throws where it has none.
int64_t Length(Runtime& runtime, const Value& value);

// --- subscript.cc ---------------------------------------------------------------------------
// `object.name` and `object[key]` with jinja2's order of fallbacks and its sandbox.
Value GetAttribute(Runtime& runtime, const Value& object, std::string_view name);
Value GetItem(Runtime& runtime, const Value& object, const Value& key);
// `object[start:stop:step]`; nullptr where a part is absent.
Value GetSlice(Runtime& runtime, const Value& object, const Value* start, const Value* stop,
               const Value* step);

// --- methods --------------------------------------------------------------------------------
using MethodFn = Value (*)(Runtime& runtime, const Value& self, const Args& args);
// nullptr where the type has no such method.
MethodFn FindMethod(const Value& self, std::string_view name);
MethodFn FindStringMethod(std::string_view name);
MethodFn FindCollectionMethod(const Value& self, std::string_view name);
MethodFn FindCallableMethod(const Value& self, std::string_view name);
// Methods that several filters are made of.
Value StringStrip(Runtime& runtime, const Value& text, const Value& chars, bool left, bool right);
Value StringReplace(Runtime& runtime, const Value& text, std::string_view from, std::string_view to,
                    int64_t count);
std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends);

// --- filters, tests, functions --------------------------------------------------------------
using FilterFn = Value (*)(Runtime& runtime, const Value& input, const Args& args);
using TestFn = bool (*)(Runtime& runtime, const Value& input, const Args& args);
FilterFn FindFilter(std::string_view name);
FilterFn FindTextFilter(std::string_view name);
FilterFn FindSequenceFilter(std::string_view name);
// jinja2 has it and this interpreter has not.
bool IsUnsupportedFilter(std::string_view name);
TestFn FindTest(std::string_view name);
// range, dict, namespace, cycler, joiner, raise_exception, strftime_now; nullptr for others.
using FunctionFn = Value (*)(Runtime& runtime, const Args& args);
FunctionFn FindFunction(std::string_view name);
Value MakeFunction(Runtime& runtime, std::string_view name);

// --- format.cc, json_dump.cc, strftime.cc ---------------------------------------------------
Value FormatPercent(Runtime& runtime, const Value& format, const Value& values);
Value FormatBraces(Runtime& runtime, std::string_view format, const Args& args);
struct JsonDumpOptions {
  bool ensure_ascii = false;
  bool indented = false;
  std::string indent;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool sort_keys = false;
};
void DumpJson(Runtime& runtime, const Value& value, const JsonDumpOptions& options, Buffer& out);
std::string Strftime(std::string_view format, int64_t seconds);

}  // namespace jikji::jinja

#endif  // JIKJI_TEXT_JINJA_RUNTIME_H_
