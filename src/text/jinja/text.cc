// What values look like: str(), repr(), type names.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "text/jinja/objects.h"
#include "text/jinja/runtime.h"
#include "text/jinja/unicode.h"

namespace jikji::jinja {
namespace {

void AppendItems(Runtime& runtime, const std::vector<Value>& items, Buffer& out) {
  for (size_t i = 0; i < items.size(); ++i) {
    if (i) out.Append(", ");
    AppendRepr(runtime, items[i], out);
  }
}

void AppendSequence(Runtime& runtime, const Value& value, Buffer& out) {
  const auto& items = value.items();
  if (value.Is(Type::kView)) {
    out.Append(static_cast<const SequenceObject*>(value.object())->name);
    out.Append("([");
    AppendItems(runtime, items, out);
    out.Append("])");
  } else if (value.Is(Type::kList)) {
    out.Append("[");
    AppendItems(runtime, items, out);
    out.Append("]");
  } else {
    out.Append("(");
    AppendItems(runtime, items, out);
    out.Append(items.size() == 1 ? ",)" : ")");
  }
}

void AppendDict(Runtime& runtime, const DictObject& dict, Buffer& out) {
  out.Append("{");
  bool first = true;
  for (const auto& [key, value] : dict.entries) {
    if (!first) out.Append(", ");
    first = false;
    AppendRepr(runtime, key, out);
    out.Append(": ");
    AppendRepr(runtime, value, out);
  }
  out.Append("}");
}

}  // namespace

const char* TypeName(const Value& value) {
  switch (value.type()) {
    case Type::kUndefined:
      return "Undefined";
    case Type::kNone:
      return "NoneType";
    case Type::kBool:
      return "bool";
    case Type::kInt:
      return "int";
    case Type::kFloat:
      return "float";
    case Type::kString:
      return value.IsMarkup() ? "Markup" : "str";
    case Type::kList:
      return "list";
    case Type::kTuple:
      return "tuple";
    case Type::kDict:
      return "dict";
    case Type::kView:
      return static_cast<const SequenceObject*>(value.object())->name;
    case Type::kRange:
      return "range";
    case Type::kIterator:
      return "generator";
    case Type::kNamespace:
      return "Namespace";
    case Type::kLoop:
      return "LoopContext";
    case Type::kCallable:
      return "function";
  }
  return "object";
}

std::string ReprFloat(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  // The shortest digits that read back as this number, then Python's choice of notation.
  char buffer[32];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific).ptr;
  std::string_view text(buffer, static_cast<size_t>(end - buffer));
  const size_t e = text.find('e');
  int exponent = 0;
  const char* digits_of_exponent = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(digits_of_exponent, end, exponent);
  std::string mantissa(text.substr(0, e));
  if (exponent < -4 || exponent >= 16) {
    return fmt::format("{}e{}{:02}", mantissa, exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  const bool negative = mantissa[0] == '-';
  std::string digits;
  for (char c : mantissa) {
    if (c >= '0' && c <= '9') digits += c;
  }
  std::string result;
  if (exponent < 0) {
    result = "0.";
    result.append(static_cast<size_t>(-exponent - 1), '0');
    result += digits;
  } else {
    const auto whole = static_cast<size_t>(exponent) + 1;
    if (digits.size() < whole) digits.append(whole - digits.size(), '0');
    result = digits.substr(0, whole) + ".";
    result += digits.size() > whole ? digits.substr(whole) : "0";
  }
  if (negative) result.insert(0, 1, '-');
  return result;
}

std::string ReprString(std::string_view text) {
  const bool single = text.find('\'') != std::string_view::npos;
  const char quote = single && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  for (size_t at = 0; at < text.size();) {
    const auto c = DecodeUtf8(text.substr(at));
    const auto code = static_cast<uint32_t>(c.code_point);
    if (code == '\\' || code == static_cast<uint32_t>(quote)) {
      out += '\\';
      out += static_cast<char>(code);
    } else if (code == '\n') {
      out += "\\n";
    } else if (code == '\r') {
      out += "\\r";
    } else if (code == '\t') {
      out += "\\t";
    } else if (IsPrintable(c.code_point)) {
      out += text.substr(at, c.length);
    } else if (code < 0x100) {
      out += fmt::format("\\x{:02x}", code);
    } else if (code < 0x10000) {
      out += fmt::format("\\u{:04x}", code);
    } else {
      out += fmt::format("\\U{:08x}", code);
    }
    at += c.length;
  }
  out += quote;
  return out;
}

void AppendStr(Runtime& runtime, const Value& value, Buffer& out) {
  if (value.IsUndefined()) return;
  if (value.IsString()) {
    out.Append(value.string());
  } else {
    AppendRepr(runtime, value, out);
  }
}

void AppendRepr(Runtime& runtime, const Value& value, Buffer& out) {
  runtime.Step();
  Runtime::Nest nest(runtime);  // a namespace may hold itself
  switch (value.type()) {
    case Type::kUndefined:
      return out.Append("Undefined");
    case Type::kNone:
      return out.Append("None");
    case Type::kBool:
      return out.Append(value.boolean() ? "True" : "False");
    case Type::kInt: {
      char digits[24];
      const auto end = std::to_chars(digits, digits + sizeof digits, value.integer()).ptr;
      return out.Append({digits, static_cast<size_t>(end - digits)});
    }
    case Type::kFloat:
      return out.Append(ReprFloat(value.number()));
    case Type::kString: {
      runtime.CheckBytes(value.string().size());
      const std::string repr = ReprString(value.string());
      return out.Append(value.IsMarkup() ? fmt::format("Markup({})", repr) : repr);
    }
    case Type::kList:
    case Type::kTuple:
    case Type::kView:
      return AppendSequence(runtime, value, out);
    case Type::kDict:
      return AppendDict(runtime, value.dict(), out);
    case Type::kRange: {
      const auto& range = value.range();
      return out.Append(
          range.step == 1 ? fmt::format("range({}, {})", range.start, range.stop)
                          : fmt::format("range({}, {}, {})", range.start, range.stop, range.step));
    }
    case Type::kNamespace: {
      out.Append("<Namespace {");
      bool first = true;
      for (const auto& [name, item] : MutableNamespace(value).attributes) {
        if (!first) out.Append(", ");
        first = false;
        out.Append(ReprString(name));
        out.Append(": ");
        AppendRepr(runtime, item, out);
      }
      return out.Append("}>");
    }
    case Type::kIterator:
    case Type::kLoop:
    case Type::kCallable:
      // Python prints an address in memory, or something as useless.
      RaiseUnsupported(fmt::format("printing a {}", TypeName(value)));
  }
}

std::string Str(Runtime& runtime, const Value& value) {
  Buffer out(runtime);
  AppendStr(runtime, value, out);
  return out.Take();
}

std::string Repr(Runtime& runtime, const Value& value) {
  Buffer out(runtime);
  AppendRepr(runtime, value, out);
  return out.Take();
}

Value SoftStr(Runtime& runtime, const Value& value) {
  return value.IsString() ? value : runtime.String(Str(runtime, value));
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace jikji::jinja
