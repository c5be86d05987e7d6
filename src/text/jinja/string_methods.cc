// The methods of str.
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "text/jinja/runtime.h"
#include "text/jinja/unicode.h"

namespace jikji::jinja {
namespace {

constexpr auto kNone = std::string_view::npos;

// Escaped text escapes what is put into it; that is not for chat templates.
void RequirePlain(const Value& self) {
  if (self.IsMarkup()) RaiseUnsupported("this method of escaped text");
}

// start and end of find, count, startswith, ..., as code points, to the bytes between them. False
// where start lies past the end: Python finds nothing there, not even the empty string.
bool Window(Runtime& runtime, const Value& self, const Bound& bound, size_t first,
            std::string_view* window, size_t* start_char) {
  const auto text = self.string();
  *window = text;
  *start_char = 0;
  auto given = [&](size_t index) { return bound[index] && !bound[index]->IsNone(); };
  if (!given(first) && !given(first + 1)) return true;
  const int64_t length = Length(runtime, self);
  auto place = [&](size_t index, int64_t otherwise) {
    int64_t at = given(index) ? bound.Integer(index, 0) : otherwise;
    if (at < 0) at = at < -length ? 0 : at + length;
    return at;
  };
  const int64_t start = place(first, 0);
  const int64_t end = std::min(place(first + 1, length), length);
  if (start > length || start > end) return false;
  const size_t from = ByteOffset(text, static_cast<size_t>(start));
  *window = text.substr(from, ByteOffset(text.substr(from), static_cast<size_t>(end - start)));
  *start_char = static_cast<size_t>(start);
  return true;
}

template <bool kLast, bool kRaises>
Value Find(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "find", {"sub", "start", "end"}, 1);
  std::string_view window;
  size_t start = 0;
  const auto sub = bound.Text(0);
  runtime.StepBytes(self.string().size());
  if (Window(runtime, self, bound, 1, &window, &start)) {
    const size_t at = kLast ? window.rfind(sub) : window.find(sub);
    if (at != kNone) {
      return Value::Int(static_cast<int64_t>(start + CountChars(window.substr(0, at))));
    }
  }
  if (kRaises) Raise("substring not found");
  return Value::Int(-1);
}

Value Count(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "count", {"sub", "start", "end"}, 1);
  std::string_view window;
  size_t start = 0;
  const auto sub = bound.Text(0);
  runtime.StepBytes(self.string().size());
  if (!Window(runtime, self, bound, 1, &window, &start)) return Value::Int(0);
  if (sub.empty()) return Value::Int(static_cast<int64_t>(CountChars(window)) + 1);
  int64_t count = 0;
  for (size_t at = 0; (at = window.find(sub, at)) != kNone; at += sub.size()) ++count;
  return Value::Int(count);
}

template <bool kEnd>
Value StartsWith(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, kEnd ? "endswith" : "startswith", {"prefix", "start", "end"}, 1);
  std::string_view window;
  size_t start = 0;
  const bool inside = Window(runtime, self, bound, 1, &window, &start);
  auto matches = [&](std::string_view affix) {
    return inside && (kEnd ? window.ends_with(affix) : window.starts_with(affix));
  };
  const Value& affix = bound.Get(0);
  if (!affix.Is(Type::kTuple)) return Value::Bool(matches(bound.Text(0)));
  for (const Value& item : affix.items()) {
    runtime.Step();
    RequireDefined(item);
    if (!item.IsString()) {
      Raise(fmt::format("tuple for {} must only contain str, not {}",
                        kEnd ? "endswith" : "startswith", TypeName(item)));
    }
    if (matches(item.string())) return Value::Bool(true);
  }
  return Value::Bool(false);
}

template <bool kLeft, bool kRight>
Value Strip(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "strip", {"chars"});
  static const Value none = Value::None();
  return StringStrip(runtime, self, bound[0] ? bound.Get(0) : none, kLeft, kRight);
}

std::vector<std::string_view> SplitSpace(std::string_view text, int64_t most) {
  std::vector<std::string_view> parts;
  text = StripSpace(text, true, false);
  while (!text.empty()) {
    if (most >= 0 && static_cast<int64_t>(parts.size()) == most) {
      parts.push_back(text);
      break;
    }
    size_t end = 0;
    while (end < text.size()) {
      const auto c = DecodeUtf8(text.substr(end));
      if (IsSpace(c.code_point)) break;
      end += c.length;
    }
    parts.push_back(text.substr(0, end));
    text = StripSpace(text.substr(end), true, false);
  }
  return parts;
}

std::vector<std::string_view> SplitSpaceFromRight(std::string_view text, int64_t most) {
  std::vector<std::string_view> parts;
  text = StripSpace(text, false, true);
  while (!text.empty()) {
    if (most >= 0 && static_cast<int64_t>(parts.size()) == most) {
      parts.push_back(text);
      break;
    }
    size_t start = text.size();
    while (start > 0) {
      size_t at = start - 1;
      while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
      if (IsSpace(DecodeUtf8(text.substr(at)).code_point)) break;
      start = at;
    }
    parts.push_back(text.substr(start));
    text = StripSpace(text.substr(0, start), false, true);
  }
  std::ranges::reverse(parts);
  return parts;
}

std::vector<std::string_view> SplitBy(std::string_view text, std::string_view separator,
                                      int64_t most, bool right) {
  std::vector<std::string_view> parts;
  while (most < 0 || static_cast<int64_t>(parts.size()) < most) {
    const size_t at = right ? text.rfind(separator) : text.find(separator);
    if (at == kNone) break;
    parts.push_back(right ? text.substr(at + separator.size()) : text.substr(0, at));
    text = right ? text.substr(0, at) : text.substr(at + separator.size());
  }
  parts.push_back(text);
  if (right) std::ranges::reverse(parts);
  return parts;
}

Value Strings(Runtime& runtime, const std::vector<std::string_view>& parts, bool markup) {
  runtime.CheckBytes(parts.size() * (sizeof(Value) + sizeof(std::string)));
  std::vector<Value> items;
  items.reserve(parts.size());
  for (const auto part : parts) items.push_back(runtime.String(std::string(part), markup));
  return runtime.List(std::move(items));
}

template <bool kRight>
Value Split(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "split", {"sep", "maxsplit"});
  const int64_t most = bound.Integer(1, -1);
  const auto text = self.string();
  runtime.StepBytes(text.size() * 8);  // a part may be one byte, a view sixteen
  if (!bound[0] || bound[0]->IsNone()) {
    return Strings(runtime, kRight ? SplitSpaceFromRight(text, most) : SplitSpace(text, most),
                   self.IsMarkup());
  }
  const auto separator = bound.Text(0);
  if (separator.empty()) Raise("empty separator");
  return Strings(runtime, SplitBy(text, separator, most, kRight), self.IsMarkup());
}

Value SplitLinesMethod(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "splitlines", {"keepends"});
  runtime.StepBytes(self.string().size() * 8);
  return Strings(runtime, SplitLines(self.string(), bound.Flag(0)), self.IsMarkup());
}

template <bool kRight>
Value Partition(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "partition", {"sep"}, 1);
  RequirePlain(self);
  const auto text = self.string();
  const auto separator = bound.Text(0);
  if (separator.empty()) Raise("empty separator");
  const size_t at = kRight ? text.rfind(separator) : text.find(separator);
  std::string_view parts[3] = {text, "", ""};
  if (at == kNone) {
    if (kRight) std::swap(parts[0], parts[2]);
  } else {
    parts[0] = text.substr(0, at);
    parts[1] = separator;
    parts[2] = text.substr(at + separator.size());
  }
  std::vector<Value> items;
  for (const auto part : parts) items.push_back(runtime.String(std::string(part)));
  return runtime.Tuple(std::move(items));
}

template <std::string (*kConvert)(std::string_view)>
Value Convert(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "method", {});
  runtime.CheckBytes(self.string().size() * 3);
  return runtime.String(kConvert(self.string()), self.IsMarkup());
}

Value Replace(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "replace", {"old", "new", "count"}, 2);
  RequirePlain(self);
  return StringReplace(runtime, self, bound.Text(0), bound.Text(1), bound.Integer(2, -1));
}

Value Join(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "join", {"iterable"}, 1);
  RequirePlain(self);
  Buffer out(runtime);
  Walk walk(runtime, bound.Get(0));
  size_t index = 0;
  for (Value item; walk.Next(&item); ++index) {
    if (!item.IsString()) {
      Raise(
          fmt::format("sequence item {}: expected str instance, {} found", index, TypeName(item)));
    }
    if (index) out.Append(self.string());
    out.Append(item.string());
  }
  return runtime.String(out.Take());
}

template <bool kSuffix>
Value RemoveAffix(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "removeprefix", {"affix"}, 1);
  auto text = self.string();
  const auto affix = bound.Text(0);
  if (kSuffix) {
    if (text.ends_with(affix)) text.remove_suffix(affix.size());
  } else if (text.starts_with(affix)) {
    text.remove_prefix(affix.size());
  }
  return runtime.String(std::string(text), self.IsMarkup());
}

template <bool (*kClass)(char32_t)>
Value All(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "method", {});
  runtime.StepBytes(self.string().size());
  const auto text = self.string();
  for (size_t at = 0; at < text.size();) {
    const auto c = DecodeUtf8(text.substr(at));
    if (!kClass(c.code_point)) return Value::Bool(false);
    at += c.length;
  }
  return Value::Bool(!text.empty());
}

bool IsAlphaNumeric(char32_t c) { return c != '_' && IsWord(c); }

template <bool kUpper>
Value IsCase(Runtime& runtime, const Value& self, const Args& args) {
  return Value::Bool(FindTest(kUpper ? "upper" : "lower")(runtime, self, args));
}

Value IsAscii(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "isascii", {});
  runtime.StepBytes(self.string().size());
  return Value::Bool(std::ranges::all_of(
      self.string(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}

// center, ljust and rjust: how the padding is shared out.
enum class Side { kLeft, kRight, kBoth };
template <Side kSide>
Value Pad(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "justify", {"width", "fillchar"}, 1);
  RequirePlain(self);
  const int64_t length = Length(runtime, self);
  const int64_t width = bound.Integer(0, 0);
  const auto fill = bound.Text(1, " ");
  if (CountChars(fill) != 1) Raise("The fill character must be exactly one character long");
  if (width <= length) return self;
  const int64_t missing = width - length;
  if (missing > static_cast<int64_t>(SIZE_MAX / 16)) runtime.BytesExhausted();
  runtime.CheckBytes(static_cast<size_t>(missing) * fill.size() + self.string().size());
  // Python puts the odd one to the left where the width is odd.
  const int64_t left = kSide == Side::kLeft    ? missing
                       : kSide == Side::kRight ? 0
                                               : missing / 2 + (missing & width & 1);
  std::string out;
  for (int64_t i = 0; i < left; ++i) out += fill;
  out += self.string();
  for (int64_t i = left; i < missing; ++i) out += fill;
  return runtime.String(std::move(out));
}

Value ZeroFill(Runtime& runtime, const Value& self, const Args& args) {
  const Bound bound(args, "zfill", {"width"}, 1);
  const int64_t missing = bound.Integer(0, 0) - Length(runtime, self);
  if (missing <= 0) return self;
  if (missing > static_cast<int64_t>(SIZE_MAX / 16)) runtime.BytesExhausted();
  runtime.CheckBytes(static_cast<size_t>(missing) + self.string().size());
  std::string out(self.string());
  const bool sign = out.starts_with('-') || out.starts_with('+');
  out.insert(sign ? 1 : 0, static_cast<size_t>(missing), '0');
  return runtime.String(std::move(out), self.IsMarkup());
}

Value Format(Runtime& runtime, const Value& self, const Args& args) {
  RequirePlain(self);
  return FormatBraces(runtime, self.string(), args);
}

struct Entry {
  std::string_view name;
  MethodFn method;
};
constexpr Entry kMethods[] = {
    {"strip", Strip<true, true>},
    {"lstrip", Strip<true, false>},
    {"rstrip", Strip<false, true>},
    {"split", Split<false>},
    {"rsplit", Split<true>},
    {"splitlines", SplitLinesMethod},
    {"startswith", StartsWith<false>},
    {"endswith", StartsWith<true>},
    {"replace", Replace},
    {"find", Find<false, false>},
    {"rfind", Find<true, false>},
    {"index", Find<false, true>},
    {"rindex", Find<true, true>},
    {"count", Count},
    {"join", Join},
    {"upper", Convert<ToUpper>},
    {"lower", Convert<ToLower>},
    {"title", Convert<ToTitle>},
    {"capitalize", Convert<Capitalize>},
    {"swapcase", Convert<SwapCase>},
    {"partition", Partition<false>},
    {"rpartition", Partition<true>},
    {"removeprefix", RemoveAffix<false>},
    {"removesuffix", RemoveAffix<true>},
    {"isdigit", All<IsDigit>},
    {"isdecimal", All<IsDecimal>},
    {"isalpha", All<IsAlpha>},
    {"isalnum", All<IsAlphaNumeric>},
    {"isspace", All<IsSpace>},
    {"isupper", IsCase<true>},
    {"islower", IsCase<false>},
    {"isascii", IsAscii},
    {"center", Pad<Side::kBoth>},
    {"ljust", Pad<Side::kRight>},
    {"rjust", Pad<Side::kLeft>},
    {"zfill", ZeroFill},
    {"format", Format},
};

}  // namespace

MethodFn FindStringMethod(std::string_view name) {
  const auto* found = std::ranges::find(kMethods, name, &Entry::name);
  return found == std::end(kMethods) ? nullptr : found->method;
}

Value StringStrip(Runtime& runtime, const Value& self, const Value& chars, bool left, bool right) {
  auto text = self.string();
  runtime.StepBytes(text.size());
  if (chars.IsNone()) {
    text = StripSpace(text, left, right);
  } else {
    RequireDefined(chars);
    if (!chars.IsString()) {
      Raise(fmt::format("strip arg must be None or str, not {}", TypeName(chars)));
    }
    const auto set = chars.string();
    auto in_set = [&](std::string_view character) {
      runtime.StepBytes(set.size());
      for (size_t at = 0; at < set.size(); at += CharBytes(set[at])) {
        if (set.substr(at, CharBytes(set[at])) == character) return true;
      }
      return false;
    };
    while (left && !text.empty() && in_set(text.substr(0, CharBytes(text[0])))) {
      text.remove_prefix(CharBytes(text[0]));
    }
    while (right && !text.empty()) {
      size_t at = text.size() - 1;
      while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
      if (!in_set(text.substr(at))) break;
      text.remove_suffix(text.size() - at);
    }
  }
  if (text.size() == self.string().size()) return self;
  return runtime.String(std::string(text), self.IsMarkup());
}

Value StringReplace(Runtime& runtime, const Value& self, std::string_view from, std::string_view to,
                    int64_t count) {
  const auto text = self.string();
  runtime.StepBytes(text.size());
  if (count < 0) count = INT64_MAX;
  Buffer out(runtime);
  if (from.empty()) {
    // Between all characters, and at both ends.
    size_t at = 0;
    for (; count > 0; --count) {
      runtime.Step();
      out.Append(to);
      if (at >= text.size()) break;
      out.Append(text.substr(at, CharBytes(text[at])));
      at += CharBytes(text[at]);
    }
    if (at < text.size()) out.Append(text.substr(at));
    return runtime.String(out.Take());
  }
  size_t at = 0;
  for (; count > 0; --count) {
    const size_t found = text.find(from, at);
    if (found == kNone) break;
    out.Append(text.substr(at, found - at));
    out.Append(to);
    at = found + from.size();
  }
  out.Append(text.substr(at));
  return runtime.String(out.Take());
}

std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  size_t start = 0;
  for (size_t at = 0; at < text.size();) {
    const auto c = DecodeUtf8(text.substr(at));
    size_t next = at + c.length;
    if (IsLineBreak(c.code_point)) {
      if (c.code_point == '\r' && text.substr(next).starts_with('\n')) ++next;
      lines.push_back(text.substr(start, (keep_ends ? next : at) - start));
      start = next;
    }
    at = next;
  }
  if (start < text.size()) lines.push_back(text.substr(start));
  return lines;
}

}  // namespace jikji::jinja
