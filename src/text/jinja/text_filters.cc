// Filters that take a single value: text, numbers, JSON.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "base/utf8.h"
#include "text/jinja/runtime.h"
#include "text/jinja/unicode.h"

namespace jikji::jinja {
namespace {

void NoArgs(const Args& args, std::string_view name) { Bound bound(args, name, {}); }

template <std::string (*kConvert)(std::string_view)>
Value Convert(Runtime& runtime, const Value& input, const Args& args) {
  NoArgs(args, "filter");
  const Value text = SoftStr(runtime, input);
  runtime.CheckBytes(text.string().size() * 3);
  return runtime.String(kConvert(text.string()), text.IsMarkup());
}

Value Trim(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "trim", {"chars"});
  return StringStrip(runtime, SoftStr(runtime, input), bound[0] ? bound.Get(0) : Value::None(),
                     true, true);
}

// Words start after white space, a hyphen or an opening bracket.
std::string TitleWords(std::string_view text) {
  std::string out;
  size_t start = 0;
  auto is_break = [](char32_t c) {
    return IsSpace(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
  };
  auto flush = [&](size_t end) {
    if (end == start) return;
    const size_t first = CharBytes(text[start]);
    out += ToUpper(text.substr(start, first));
    out += ToLower(text.substr(start + first, end - start - first));
    start = end;
  };
  bool breaking = false;
  for (size_t at = 0; at < text.size();) {
    const auto c = DecodeUtf8(text.substr(at));
    if (is_break(c.code_point) != breaking) {
      flush(at);
      breaking = !breaking;
    }
    at += c.length;
  }
  if (start < text.size()) flush(text.size());
  return out;
}

Value String(Runtime& runtime, const Value& input, const Args& args) {
  NoArgs(args, "string");
  return SoftStr(runtime, input);
}

Value Safe(Runtime& runtime, const Value& input, const Args& args) {
  NoArgs(args, "safe");
  return runtime.String(Str(runtime, input), true);
}

Value Escape(Runtime& runtime, const Value& input, const Args& args) {
  NoArgs(args, "escape");
  if (input.IsMarkup()) return input;
  const std::string text = Str(runtime, input);
  runtime.CheckBytes(text.size() * 5);
  return runtime.String(EscapeHtml(text), true);
}

Value ForceEscape(Runtime& runtime, const Value& input, const Args& args) {
  NoArgs(args, "forceescape");
  const std::string text = Str(runtime, input);
  runtime.CheckBytes(text.size() * 5);
  return runtime.String(EscapeHtml(text), true);
}

Value Replace(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "replace", {"old", "new", "count"}, 2);
  const bool all = !bound[2] || bound[2]->IsNone();
  const std::string from = Str(runtime, bound.Get(0));
  const std::string to = Str(runtime, bound.Get(1));
  return StringReplace(runtime, runtime.String(Str(runtime, input)), from, to,
                       all ? -1 : bound.Integer(2, -1));
}

Value Default(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "default", {"default_value", "boolean"});
  if (!input.IsUndefined() && !(bound.Flag(1) && !Truth(input))) return input;
  return bound[0] ? bound.Get(0) : runtime.String("");
}

Value Indent(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "indent", {"width", "first", "blank"});
  RequireDefined(input);
  if (!input.IsString()) Raise("indent: the value is not a string");
  if (input.IsMarkup()) RaiseUnsupported("indent of escaped text");
  std::string indent;
  if (bound[0] && bound[0]->IsString()) {
    indent = bound.Text(0);
  } else {
    const int64_t width = std::max<int64_t>(bound.Integer(0, 4), 0);
    runtime.CheckBytes(static_cast<size_t>(width));
    indent.assign(static_cast<size_t>(width), ' ');
  }
  const bool first = bound.Flag(1), blank = bound.Flag(2);
  const std::string text = std::string(input.string()) + "\n";
  runtime.StepBytes(text.size() * 8);
  const auto lines = SplitLines(text, false);
  Buffer out(runtime);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i) out.Append("\n");
    if (i == 0 ? first : blank || !lines[i].empty()) out.Append(indent);
    out.Append(lines[i]);
  }
  return runtime.String(out.Take());
}

Value Truncate(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "truncate", {"length", "killwords", "end", "leeway"});
  RequireDefined(input);
  if (!input.IsString()) Raise("truncate: the value is not a string");
  const int64_t length = bound.Integer(0, 255);
  const auto end = bound.Text(2, "...");
  const int64_t leeway = bound[3] && !bound[3]->IsNone() ? bound.Integer(3, 5) : 5;
  const auto end_length = static_cast<int64_t>(CountChars(end));
  if (length < end_length) Raise("truncate: the length is less than that of the end");
  if (leeway < 0) Raise("truncate: the leeway is negative");
  const auto text = input.string();
  const int64_t count = Length(runtime, input);
  if (count <= leeway || count - leeway <= length) return input;
  auto kept = text.substr(0, ByteOffset(text, static_cast<size_t>(length - end_length)));
  if (!bound.Flag(1)) kept = kept.substr(0, kept.rfind(' '));
  return runtime.String(std::string(kept) + std::string(end));
}

Value WordCount(Runtime& runtime, const Value& input, const Args& args) {
  NoArgs(args, "wordcount");
  const std::string text = Str(runtime, input);
  int64_t count = 0;
  bool inside = false;
  for (size_t at = 0; at < text.size();) {
    const auto c = DecodeUtf8(std::string_view(text).substr(at));
    const bool word = IsWord(c.code_point);
    if (word && !inside) ++count;
    inside = word;
    at += c.length;
  }
  return Value::Int(count);
}

Value Center(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "center", {"width"});
  Args width;
  width.positional.push_back(bound[0] ? bound.Get(0) : Value::Int(80));
  return FindStringMethod("center")(runtime, SoftStr(runtime, input), width);
}

// Digits of a number as Python writes it: white space around, single underscores between digits.
bool CleanNumber(std::string_view text, std::string* out) {
  text = StripSpace(text);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      *out += text[i];
      continue;
    }
    auto is_alnum = [&](size_t at) {
      return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at]));
    };
    if (i == 0 || !is_alnum(i - 1) || !is_alnum(i + 1)) return false;
  }
  return !out->empty();
}

// int(text, base); nullopt where Python raises ValueError.
std::optional<int64_t> ParseInt(std::string_view written, int64_t base) {
  std::string text;
  if (base != 0 && (base < 2 || base > 36)) return std::nullopt;
  if (!CleanNumber(written, &text)) return std::nullopt;
  const bool negative = text[0] == '-';
  if (negative || text[0] == '+') text.erase(0, 1);
  if (text.size() > 1 && text[0] == '0') {
    const char kind = static_cast<char>(text[1] | 0x20);
    const int64_t prefixed = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 0;
    if (prefixed && (base == prefixed || base == 0)) {
      text.erase(0, 2);
      base = prefixed;
    } else if (base == 0 && !prefixed && text.find_first_not_of('0') != std::string::npos) {
      return std::nullopt;
    }
  }
  if (base == 0) base = 10;
  if (text.empty() || text[0] == '-' || text[0] == '+') return std::nullopt;
  uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, static_cast<int>(base));
  if (end != text.data() + text.size()) return std::nullopt;
  if (error != std::errc() || value > static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0)) {
    RaiseOverflow();
  }
  return static_cast<int64_t>(negative ? 0 - value : value);
}

std::optional<double> ParseFloat(std::string_view written) {
  std::string text;
  if (!CleanNumber(written, &text)) return std::nullopt;
  // strtod also reads hexadecimal and "nan(...)"; Python does not.
  for (char c : text) {
    if (c == 'x' || c == 'X' || c == '(') return std::nullopt;
  }
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end != text.c_str() + text.size()) return std::nullopt;
  return value;
}

int64_t TruncateFloat(double number) {
  if (!(number >= -0x1p63 && number < 0x1p63)) RaiseOverflow();
  return static_cast<int64_t>(number);
}

Value Int(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "int", {"default", "base"});
  const Value otherwise = bound[0] ? bound.Get(0) : Value::Int(0);
  RequireDefined(input);
  if (input.IsInteger()) return Value::Int(input.integer());
  if (input.Is(Type::kFloat)) {
    if (std::isnan(input.number())) return otherwise;
    if (std::isinf(input.number())) Raise("cannot convert float infinity to integer");
    return Value::Int(TruncateFloat(input.number()));
  }
  if (!input.IsString()) return otherwise;
  if (const auto value = ParseInt(input.string(), bound.Integer(1, 10))) return Value::Int(*value);
  const auto number = ParseFloat(input.string());
  if (!number || !std::isfinite(*number)) return otherwise;
  return Value::Int(TruncateFloat(*number));
}

Value Float(Runtime&, const Value& input, const Args& args) {
  const Bound bound(args, "float", {"default"});
  RequireDefined(input);
  if (input.IsNumber()) return Value::Float(input.number());
  if (input.IsString()) {
    if (const auto number = ParseFloat(input.string())) return Value::Float(*number);
  }
  return bound[0] ? bound.Get(0) : Value::Float(0);
}

Value Abs(Runtime& runtime, const Value& input, const Args& args) {
  NoArgs(args, "abs");
  RequireDefined(input);
  if (input.Is(Type::kFloat)) return Value::Float(std::fabs(input.number()));
  if (!input.IsInteger()) Raise(fmt::format("bad operand type for abs(): '{}'", TypeName(input)));
  return input.integer() < 0 ? Negative(runtime, input) : Value::Int(input.integer());
}

// round(number, digits) of Python: half to even, on the exact binary value.
Value RoundNumber(const Value& input, int64_t digits) {
  if (input.IsInteger()) {
    if (digits >= 0) return Value::Int(input.integer());
    if (digits < -18) return Value::Int(0);
    int64_t unit = 1;
    for (int64_t i = digits; i < 0; ++i) unit *= 10;
    int64_t rest = input.integer() % unit;
    if (rest < 0) rest += unit;
    int64_t low = 0, result = 0;
    if (__builtin_sub_overflow(input.integer(), rest, &low)) RaiseOverflow();
    const bool odd = (low / unit) % 2 != 0;
    const bool up = rest > unit - rest || (rest == unit - rest && odd);
    if (__builtin_add_overflow(low, up ? unit : 0, &result)) {
      RaiseOverflow();
    }
    return Value::Int(result);
  }
  const double number = input.number();
  if (!std::isfinite(number) || digits > 323) return input;
  if (digits < -308) return Value::Float(std::copysign(0.0, number));
  if (digits < 0) RaiseUnsupported("rounding a float to tens");
  char text[700];
  std::snprintf(text, sizeof text, "%.*f", static_cast<int>(digits), number);
  return Value::Float(std::strtod(text, nullptr));
}

Value Round(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "round", {"precision", "method"});
  const int64_t digits = bound.Integer(0, 0);
  const auto method = bound.Text(1, "common");
  if (method != "common" && method != "ceil" && method != "floor") {
    Raise("method must be common, ceil or floor");
  }
  RequireDefined(input);
  if (!input.IsNumber()) {
    Raise(fmt::format("type {} doesn't define __round__ method", TypeName(input)));
  }
  if (method == "common") return RoundNumber(input, digits);
  const Value unit = Binary(runtime, BinaryOp::kPow, Value::Int(10), Value::Int(digits));
  const Value scaled = Binary(runtime, BinaryOp::kMul, input, unit);
  if (!std::isfinite(scaled.number())) Raise("cannot convert float infinity to integer");
  const Value whole =
      scaled.IsInteger()
          ? scaled
          : Value::Int(TruncateFloat(method == "ceil" ? std::ceil(scaled.number())
                                                      : std::floor(scaled.number())));
  return Binary(runtime, BinaryOp::kDiv, whole, unit);
}

Value Format(Runtime& runtime, const Value& input, const Args& args) {
  if (!args.positional.empty() && !args.keyword.empty()) {
    Raise("can't handle positional and keyword arguments at the same time");
  }
  Value values;
  if (args.keyword.empty()) {
    values = runtime.Tuple(args.positional);
  } else {
    std::vector<std::pair<Value, Value>> entries;
    for (const auto& [name, value] : args.keyword) {
      entries.emplace_back(runtime.String(std::string(name)), value);
    }
    values = runtime.Dict(std::move(entries));
  }
  if (input.IsMarkup()) RaiseUnsupported("formatting of escaped text");
  return FormatPercent(runtime, SoftStr(runtime, input), values);
}

std::string UrlQuote(std::string_view text, bool query) {
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) || c == '_' || c == '.' || c == '-' || c == '~' ||
                        (c == '/' && !query))) {
      out += c;
    } else if (c == ' ' && query) {
      out += '+';
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

Value UrlEncode(Runtime& runtime, const Value& input, const Args& args) {
  NoArgs(args, "urlencode");
  if (input.IsString() || !IsIterable(input)) {
    const std::string text = Str(runtime, input);
    runtime.CheckBytes(text.size() * 3);
    return runtime.String(UrlQuote(text, false));
  }
  const Value pairs =
      input.Is(Type::kDict) ? FindCollectionMethod(input, "items")(runtime, input, Args{}) : input;
  Buffer out(runtime);
  Walk walk(runtime, pairs);
  bool first = true;
  for (Value pair; walk.Next(&pair); first = false) {
    const auto items = ToVector(runtime, pair);
    if (items.size() != 2) Raise("urlencode: not a pair");
    if (!first) out.Append("&");
    out.Append(UrlQuote(Str(runtime, items[0]), true));
    out.Append("=");
    out.Append(UrlQuote(Str(runtime, items[1]), true));
  }
  return runtime.String(out.Take());
}

Value ToJson(Runtime& runtime, const Value& input, const Args& args) {
  const Bound bound(args, "tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonDumpOptions options;
  options.ensure_ascii = bound.Flag(0);
  options.sort_keys = bound.Flag(3);
  if (bound[1] && !bound[1]->IsNone()) {
    options.indented = true;
    options.item_separator.assign(1, ',');
    if (bound[1]->IsString()) {
      options.indent = bound.Text(1);
    } else {
      const int64_t width = std::max<int64_t>(bound.Integer(1, 0), 0);
      runtime.CheckBytes(static_cast<size_t>(width));
      options.indent.assign(static_cast<size_t>(width), ' ');
    }
  }
  if (bound[2] && !bound[2]->IsNone()) {
    const auto pair = ToVector(runtime, bound.Get(2));
    if (pair.size() != 2 || !pair[0].IsString() || !pair[1].IsString()) {
      Raise("tojson: separators are two strings");
    }
    options.item_separator = pair[0].string();
    options.key_separator = pair[1].string();
  }
  Buffer out(runtime);
  DumpJson(runtime, input, options, out);
  return runtime.String(out.Take());
}

struct Entry {
  std::string_view name;
  FilterFn filter;
};
constexpr Entry kFilters[] = {
    {"trim", Trim},
    {"upper", Convert<ToUpper>},
    {"lower", Convert<ToLower>},
    {"capitalize", Convert<Capitalize>},
    {"title", Convert<TitleWords>},
    {"string", String},
    {"safe", Safe},
    {"escape", Escape},
    {"e", Escape},
    {"forceescape", ForceEscape},
    {"replace", Replace},
    {"default", Default},
    {"d", Default},
    {"indent", Indent},
    {"truncate", Truncate},
    {"wordcount", WordCount},
    {"center", Center},
    {"int", Int},
    {"float", Float},
    {"abs", Abs},
    {"round", Round},
    {"format", Format},
    {"urlencode", UrlEncode},
    {"tojson", ToJson},
};

}  // namespace

FilterFn FindTextFilter(std::string_view name) {
  const auto* found = std::ranges::find(kFilters, name, &Entry::name);
  return found == std::end(kFilters) ? nullptr : found->filter;
}

}  // namespace jikji::jinja
