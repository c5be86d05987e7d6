// Both ways of Python to format: `"%s" % x` and `"{}".format(x)`.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/utf8.h"
#include "text/jinja/runtime.h"
#include "text/jinja/unicode.h"

namespace jikji::jinja {
namespace {

// Nobody prints more digits of a double than it has.
constexpr int64_t kMaxPrecision = 2000;

struct Spec {
  std::string fill = " ";
  char align = 0;  // < > ^ =
  char sign = 0;   // + - or space
  bool alternate = false;
  bool zero = false;
  int64_t width = 0;
  char grouping = 0;
  std::optional<int64_t> precision;
  char type = 0;
};

std::string Printf(double number, const Spec& spec, char type, int64_t otherwise) {
  const int64_t precision = spec.precision.value_or(otherwise);
  if (precision > kMaxPrecision) RaiseUnsupported("so many digits");
  const char format[] = {'%',
                         spec.alternate ? '#' : '.',
                         spec.alternate ? '.' : '*',
                         spec.alternate ? '*' : type,
                         spec.alternate ? type : '\0',
                         '\0'};
  std::string out(static_cast<size_t>(precision) + 400, '\0');
  const int size =
      std::snprintf(out.data(), out.size(), format, static_cast<int>(precision), number);
  out.resize(static_cast<size_t>(std::max(size, 0)));
  return out;
}

std::string Digits(uint64_t magnitude, char type) {
  const int base = type == 'x' || type == 'X' ? 16 : type == 'o' ? 8 : type == 'b' ? 2 : 10;
  char buffer[72];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, magnitude, base).ptr;
  std::string digits(buffer, static_cast<size_t>(end - buffer));
  if (type == 'X')
    std::ranges::transform(digits, digits.begin(), [](char c) {
      return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c;
    });
  return digits;
}

std::string Group(std::string digits, char separator, size_t size) {
  const size_t whole = std::min(digits.find_first_not_of("0123456789abcdefABCDEF"), digits.size());
  for (size_t at = whole; at > size; at -= size) digits.insert(at - size, 1, separator);
  return digits;
}

// A number's sign, prefix and digits, padded.
std::string PadNumber(Runtime& runtime, bool negative, const std::string& prefix,
                      const std::string& digits, const Spec& spec) {
  std::string head = negative ? "-" : spec.sign == '+' ? "+" : spec.sign == ' ' ? " " : "";
  head += prefix;
  const auto length = static_cast<int64_t>(head.size() + digits.size());
  const int64_t missing = std::max<int64_t>(spec.width - length, 0);
  if (missing == 0) return head + digits;
  runtime.CheckBytes(static_cast<size_t>(missing) * spec.fill.size());
  auto fill = [&](int64_t count) {
    std::string out;
    for (int64_t i = 0; i < count; ++i) out += spec.fill;
    return out;
  };
  switch (spec.align) {
    case '<':
      return head + digits + fill(missing);
    case '^':
      return fill(missing / 2) + head + digits + fill(missing - missing / 2);
    case '=':
      return head + fill(missing) + digits;
    default:
      return fill(missing) + head + digits;
  }
}

std::string PadText(Runtime& runtime, std::string text, const Spec& spec) {
  if (spec.precision) {
    text.resize(ByteOffset(text, static_cast<size_t>(*spec.precision)));
  }
  const auto length = static_cast<int64_t>(CountChars(text));
  const int64_t missing = std::max<int64_t>(spec.width - length, 0);
  if (missing == 0) return text;
  runtime.CheckBytes(static_cast<size_t>(missing) * spec.fill.size() + text.size());
  const int64_t left = spec.align == '>' ? missing : spec.align == '^' ? missing / 2 : 0;
  std::string out;
  for (int64_t i = 0; i < left; ++i) out += spec.fill;
  out += text;
  for (int64_t i = left; i < missing; ++i) out += spec.fill;
  return out;
}

std::string FormatInteger(Runtime& runtime, int64_t number, const Spec& spec) {
  const bool negative = number < 0;
  const uint64_t magnitude =
      negative ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
  std::string prefix;
  if (spec.alternate && spec.type != 'd' && spec.type != 0) prefix = std::string("0") + spec.type;
  std::string digits = Digits(magnitude, spec.type);
  if (spec.grouping) {
    if (spec.zero) RaiseUnsupported("zero padding of grouped digits");
    const bool decimal = spec.type == 'd' || spec.type == 0;
    if (spec.grouping == ',' && !decimal) Raise("Cannot specify ',' with this type.");
    digits = Group(std::move(digits), spec.grouping, decimal ? 3 : 4);
  }
  return PadNumber(runtime, negative, prefix, digits, spec);
}

std::string FormatFloat(Runtime& runtime, double number, Spec spec) {
  const bool negative = std::signbit(number) && !std::isnan(number);
  const double magnitude = negative ? -number : number;
  std::string digits;
  if (spec.type == '%') {
    digits = std::isfinite(number) ? Printf(magnitude * 100, spec, 'f', 6) : ReprFloat(magnitude);
    digits += '%';
  } else if (!std::isfinite(number)) {
    digits = ReprFloat(magnitude);
    if (spec.type == 'F' || spec.type == 'E' || spec.type == 'G') digits = ToUpper(digits);
    if (spec.align == '=' && spec.zero) RaiseUnsupported("zero padding of an infinity");
  } else if (spec.type == 0) {
    if (spec.precision) RaiseUnsupported("a precision without a type");
    digits = ReprFloat(magnitude);
  } else {
    if ((spec.type == 'g' || spec.type == 'G') && spec.precision == 0) spec.precision = 1;
    digits = Printf(magnitude, spec, spec.type, 6);
  }
  if (spec.grouping) {
    if (spec.zero) RaiseUnsupported("zero padding of grouped digits");
    digits = Group(std::move(digits), spec.grouping, 3);
  }
  return PadNumber(runtime, negative, "", digits, spec);
}

// Digits at `*at` as a number; a width that no limit allows is refused by CheckBytes later.
std::optional<int64_t> ReadNumber(std::string_view text, size_t* at) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data() + *at, text.data() + text.size(), number);
  if (*at >= text.size() || text[*at] < '0' || text[*at] > '9') return std::nullopt;
  if (error != std::errc() || number > (int64_t{1} << 40))
    Raise("Too many decimal digits in format string");
  *at = static_cast<size_t>(end - text.data());
  return number;
}

// --- % ---------------------------------------------------------------------------------------

class PercentFormatter {
 public:
  PercentFormatter(Runtime& runtime, std::string_view format, const Value& values)
      : runtime_(runtime), format_(format), values_(values), out_(runtime) {}

  std::string Run() {
    while (at_ < format_.size()) {
      const size_t percent = std::min(format_.find('%', at_), format_.size());
      out_.Append(format_.substr(at_, percent - at_));
      at_ = percent;
      if (at_ < format_.size()) Directive();
    }
    const bool left = values_.Is(Type::kTuple)
                          ? used_ < values_.items().size()
                          : used_ == 0 && !values_.Is(Type::kDict) && !values_.Is(Type::kList) &&
                                !values_.Is(Type::kUndefined);
    if (left) Raise("not all arguments converted during string formatting");
    return out_.Take();
  }

 private:
  char Peek() const {
    if (at_ >= format_.size()) Raise("incomplete format");
    return format_[at_];
  }

  Value NextValue() {
    if (keyed_) return *keyed_;
    if (values_.Is(Type::kTuple)) {
      if (used_ >= values_.items().size()) Raise("not enough arguments for format string");
      return values_.items()[used_++];
    }
    if (used_++ > 0) Raise("not enough arguments for format string");
    return values_;
  }

  int64_t Number(bool* given) {
    *given = true;
    if (Peek() == '*') {
      ++at_;
      const Value value = NextValue();
      if (!value.IsInteger()) Raise("* wants int");
      return std::clamp<int64_t>(value.integer(), -(int64_t{1} << 40), int64_t{1} << 40);
    }
    const auto number = ReadNumber(format_, &at_);
    *given = number.has_value();
    return number.value_or(0);
  }

  void Directive() {
    ++at_;
    Spec spec;
    spec.align = '>';
    keyed_.reset();
    if (Peek() == '(') ReadKey();
    bool left = false;
    for (;; ++at_) {
      const char flag = Peek();
      if (flag == '-')
        left = true;
      else if (flag == '+')
        spec.sign = '+';
      else if (flag == ' ')
        spec.sign = spec.sign ? spec.sign : ' ';
      else if (flag == '#')
        spec.alternate = true;
      else if (flag == '0')
        spec.zero = true;
      else
        break;
    }
    bool given = false;
    spec.width = Number(&given);
    if (spec.width < 0) {
      left = true;
      spec.width = -spec.width;
    }
    if (Peek() == '.') {
      ++at_;
      spec.precision = std::max<int64_t>(Number(&given), 0);
    }
    if (Peek() == 'h' || Peek() == 'l' || Peek() == 'L') ++at_;
    spec.type = Peek();
    if (left) spec.align = '<';
    ++at_;
    if (spec.type == '%') return out_.Append("%");
    Convert(spec);
  }

  void ReadKey() {
    if (!values_.Is(Type::kDict)) Raise("format requires a mapping");
    size_t depth = 1, end = at_ + 1;
    for (; end < format_.size(); ++end) {
      if (format_[end] == '(') ++depth;
      if (format_[end] == ')' && --depth == 0) break;
    }
    if (end >= format_.size()) Raise("incomplete format key");
    const auto key = format_.substr(at_ + 1, end - at_ - 1);
    const Value* found = values_.dict().Find(key);
    if (!found) Raise(fmt::format("KeyError: {}", ReprString(key)));
    keyed_ = *found;
    ++used_;
    at_ = end + 1;
  }

  void ZeroPad(Spec& spec) const {
    if (!spec.zero || spec.align == '<') return;
    spec.align = '=';
    spec.fill.assign(1, '0');
  }

  void Convert(Spec spec) {
    switch (spec.type) {
      case 's':
        return out_.Append(PadText(runtime_, Str(runtime_, NextValue()), spec));
      case 'r':
        return out_.Append(PadText(runtime_, Repr(runtime_, NextValue()), spec));
      case 'c':
        return Character(spec);
      case 'd':
      case 'i':
      case 'u':
      case 'x':
      case 'X':
      case 'o':
        return Integer(spec);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G': {
        const Value value = NextValue();
        RequireDefined(value);
        if (!value.IsNumber()) Raise(fmt::format("must be real number, not {}", TypeName(value)));
        ZeroPad(spec);
        return out_.Append(FormatFloat(runtime_, value.number(), spec));
      }
      case 'a':
        RaiseUnsupported("%a");
      default:
        Raise(fmt::format("unsupported format character '{}'", spec.type));
    }
  }

  void Character(Spec spec) {
    const Value value = NextValue();
    RequireDefined(value);
    spec.precision.reset();
    if (value.IsString() && CountChars(value.string()) == 1) {
      return out_.Append(PadText(runtime_, std::string(value.string()), spec));
    }
    if (!value.IsInteger() || value.integer() < 0 || value.integer() > 0x10FFFF ||
        (value.integer() >= 0xD800 && value.integer() < 0xE000)) {
      Raise("%c requires an int in range(0x110000) or a unicode character");
    }
    std::string text;
    AppendUtf8(static_cast<char32_t>(value.integer()), text);
    out_.Append(PadText(runtime_, std::move(text), spec));
  }

  void Integer(Spec spec) {
    const Value value = NextValue();
    RequireDefined(value);
    const bool decimal = spec.type == 'd' || spec.type == 'i' || spec.type == 'u';
    if (!value.IsInteger() && !(decimal && value.Is(Type::kFloat))) {
      Raise(
          fmt::format("%{} format: a real number is required, not {}", spec.type, TypeName(value)));
    }
    if (value.Is(Type::kFloat) && !(std::fabs(value.number()) < 0x1p63)) {
      Raise("cannot convert the float to a 64-bit integer");
    }
    const int64_t number =
        value.IsInteger() ? value.integer() : static_cast<int64_t>(value.number());
    const uint64_t magnitude =
        number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
    if (decimal) spec.type = 'd';
    std::string digits = Digits(magnitude, spec.type);
    if (spec.precision && *spec.precision > static_cast<int64_t>(digits.size())) {
      runtime_.CheckBytes(static_cast<size_t>(*spec.precision));
      digits.insert(0, static_cast<size_t>(*spec.precision) - digits.size(), '0');
    }
    ZeroPad(spec);
    const std::string prefix =
        spec.alternate && !decimal ? std::string("0") + spec.type : std::string();
    out_.Append(PadNumber(runtime_, number < 0, prefix, digits, spec));
  }

  Runtime& runtime_;
  std::string_view format_;
  const Value& values_;
  Buffer out_;
  size_t at_ = 0;
  size_t used_ = 0;
  std::optional<Value> keyed_;
};

// --- str.format -------------------------------------------------------------------------------

Spec ParseSpec(std::string_view text) {
  Spec spec;
  size_t at = 0;
  auto is_align = [](char c) { return c == '<' || c == '>' || c == '^' || c == '='; };
  if (!text.empty()) {
    const size_t first = CharBytes(text[0]);
    if (first < text.size() && is_align(text[first])) {
      spec.fill = text.substr(0, first);
      spec.align = text[first];
      at = first + 1;
    } else if (is_align(text[0])) {
      spec.align = text[0];
      at = 1;
    }
  }
  auto take = [&](std::string_view any) {
    if (at >= text.size() || any.find(text[at]) == std::string_view::npos) return '\0';
    return text[at++];
  };
  spec.sign = take("+- ");
  if (take("z")) RaiseUnsupported("the option z of a format");
  spec.alternate = take("#") != 0;
  if (take("0")) {
    spec.zero = true;
    if (!spec.align) {
      spec.align = '=';
      spec.fill.assign(1, '0');
    }
  }
  spec.width = ReadNumber(text, &at).value_or(0);
  spec.grouping = take(",_");
  if (take(".")) {
    spec.precision = ReadNumber(text, &at);
    if (!spec.precision) Raise("Format specifier missing precision");
  }
  if (at < text.size()) spec.type = text[at++];
  if (at < text.size()) Raise("Invalid format specifier");
  return spec;
}

std::string FormatValue(Runtime& runtime, const Value& value, std::string_view written) {
  if (written.empty()) return Str(runtime, value);
  Spec spec = ParseSpec(written);
  auto unknown = [&]() {
    Raise(fmt::format("Unknown format code '{}' for object of type '{}'", spec.type,
                      TypeName(value)));
  };
  if (value.IsString()) {
    if (spec.type && spec.type != 's') unknown();
    if (spec.sign || spec.alternate || spec.grouping) {
      Raise("this option is not allowed in string format specifier");
    }
    if (spec.align == '=') {
      if (!spec.zero) Raise("'=' alignment not allowed in string format specifier");
      spec.align = '<';
    }
    return PadText(runtime, std::string(value.string()), spec);
  }
  static constexpr std::string_view kFloatTypes = "eEfFgG%";
  const bool as_float = spec.type && kFloatTypes.find(spec.type) != std::string_view::npos;
  if (value.IsInteger() && !as_float) {
    if (spec.precision) Raise("Precision not allowed in integer format specifier");
    if (spec.type == 'c' || spec.type == 'n') RaiseUnsupported("this type of a format");
    if (spec.type && std::string_view("bdoxX").find(spec.type) == std::string_view::npos) unknown();
    return FormatInteger(runtime, value.integer(), spec);
  }
  if (value.IsNumber()) {
    if (spec.type == 'n') RaiseUnsupported("this type of a format");
    if (spec.type && !as_float) unknown();
    return FormatFloat(runtime, value.number(), spec);
  }
  Raise(fmt::format("unsupported format string passed to {}.__format__", TypeName(value)));
}

class BraceFormatter {
 public:
  BraceFormatter(Runtime& runtime, std::string_view format, const Args& args)
      : runtime_(runtime), format_(format), args_(args), out_(runtime) {}

  std::string Run() {
    for (size_t at = 0; at < format_.size();) {
      const size_t brace = std::min(format_.find_first_of("{}", at), format_.size());
      out_.Append(format_.substr(at, brace - at));
      if (brace == format_.size()) break;
      const char c = format_[brace];
      if (brace + 1 < format_.size() && format_[brace + 1] == c) {
        out_.Append({&c, 1});
        at = brace + 2;
        continue;
      }
      if (c == '}') Raise("Single '}' encountered in format string");
      const size_t end = format_.find_first_of("{}", brace + 1);
      if (end == std::string_view::npos) Raise("expected '}' before end of string");
      if (format_[end] == '{') RaiseUnsupported("a field inside a field of a format");
      Field(format_.substr(brace + 1, end - brace - 1));
      at = end + 1;
    }
    return out_.Take();
  }

 private:
  void Field(std::string_view field) {
    const size_t colon = field.find_first_of("!:");
    auto name = field.substr(0, colon);
    std::string_view spec;
    char conversion = 0;
    if (colon != std::string_view::npos) {
      auto rest = field.substr(colon);
      if (rest[0] == '!') {
        if (rest.size() < 2) Raise("end of string while looking for conversion specifier");
        conversion = rest[1];
        rest.remove_prefix(2);
        if (!rest.empty() && rest[0] != ':') Raise("expected ':' after conversion specifier");
      }
      if (!rest.empty()) spec = rest.substr(1);
    }
    Value value = Lookup(name);
    if (conversion == 'r') {
      value = runtime_.String(Repr(runtime_, value));
    } else if (conversion == 's') {
      value = runtime_.String(Str(runtime_, value));
    } else if (conversion) {
      RaiseUnsupported(fmt::format("the conversion !{}", conversion));
    }
    out_.Append(FormatValue(runtime_, value, spec));
  }

  Value Lookup(std::string_view path) {
    const size_t end = std::min(path.find_first_of(".["), path.size());
    Value value = First(path.substr(0, end));
    path.remove_prefix(end);
    while (!path.empty()) {
      if (path[0] == '.') {
        const size_t stop = std::min(path.find_first_of(".[", 1), path.size());
        if (stop == 1) Raise("Empty attribute in format string");
        value = GetAttribute(runtime_, value, path.substr(1, stop - 1));
        path.remove_prefix(stop);
      } else if (path[0] == '[') {
        const size_t stop = path.find(']');
        if (stop == std::string_view::npos) Raise("Missing ']' in format string");
        const auto key = path.substr(1, stop - 1);
        if (key.empty()) Raise("Empty attribute in format string");
        size_t at = 0;
        const auto number = ReadNumber(key, &at);
        value = GetItem(
            runtime_, value,
            number && at == key.size() ? Value::Int(*number) : runtime_.String(std::string(key)));
        path.remove_prefix(stop + 1);
      } else {
        Raise("Only '.' or '[' may follow ']' in format field specifier");
      }
    }
    return value;
  }

  Value First(std::string_view name) {
    size_t at = 0;
    std::optional<int64_t> index = ReadNumber(name, &at);
    if (at != name.size()) index.reset();
    if (name.empty()) {
      if (manual_)
        Raise("cannot switch from manual field specification to automatic field numbering");
      index = static_cast<int64_t>(automatic_++);
    } else if (index) {
      if (automatic_ > 0) {
        Raise("cannot switch from automatic field numbering to manual field specification");
      }
      manual_ = true;
    }
    if (index) {
      if (*index >= static_cast<int64_t>(args_.positional.size())) {
        Raise(fmt::format("Replacement index {} out of range for positional args tuple", *index));
      }
      return args_.positional[static_cast<size_t>(*index)];
    }
    for (const auto& [key, value] : args_.keyword) {
      if (key == name) return value;
    }
    Raise(fmt::format("KeyError: {}", ReprString(name)));
  }

  Runtime& runtime_;
  std::string_view format_;
  const Args& args_;
  Buffer out_;
  size_t automatic_ = 0;
  bool manual_ = false;
};

}  // namespace

Value FormatPercent(Runtime& runtime, const Value& format, const Value& values) {
  std::string text = PercentFormatter(runtime, format.string(), values).Run();
  return runtime.String(std::move(text));
}

Value FormatBraces(Runtime& runtime, std::string_view format, const Args& args) {
  std::string text = BraceFormatter(runtime, format, args).Run();
  return runtime.String(std::move(text));
}

}  // namespace jikji::jinja
