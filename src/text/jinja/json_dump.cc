// json.dumps, byte for byte.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "text/jinja/runtime.h"

namespace jikji::jinja {
namespace {

void AppendUnit(uint32_t unit, std::string& out) { out += fmt::format("\\u{:04x}", unit); }

std::string Quote(std::string_view text, bool ensure_ascii) {
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      const auto decoded = DecodeUtf8(text.substr(at));
      if (!ensure_ascii) {
        out += text.substr(at, decoded.length);
      } else if (const auto code = static_cast<uint32_t>(decoded.code_point); code < 0x10000) {
        AppendUnit(code, out);
      } else {
        AppendUnit(0xD800 + ((code - 0x10000) >> 10), out);
        AppendUnit(0xDC00 + ((code - 0x10000) & 0x3FF), out);
      }
      at += decoded.length;
      continue;
    }
    ++at;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (byte < 0x20 || (byte == 0x7F && ensure_ascii)) {
          AppendUnit(byte, out);
        } else {
          out += c;
        }
    }
  }
  out += '"';
  return out;
}

std::string Number(const Value& value) {
  if (value.Is(Type::kBool)) return value.boolean() ? "true" : "false";
  if (value.Is(Type::kInt)) return std::to_string(value.integer());
  const double number = value.number();
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  return ReprFloat(number);
}

class Dumper {
 public:
  Dumper(Runtime& runtime, const JsonDumpOptions& options, Buffer& out)
      : runtime_(runtime), options_(options), out_(out) {}

  void Dump(const Value& value, size_t level) {
    runtime_.Step();
    switch (value.type()) {
      case Type::kNone:
        return out_.Append("null");
      case Type::kBool:
      case Type::kInt:
      case Type::kFloat:
        return out_.Append(Number(value));
      case Type::kString:
        runtime_.CheckBytes(value.string().size());
        return out_.Append(Quote(value.string(), options_.ensure_ascii));
      case Type::kList:
      case Type::kTuple:
        return DumpList(value.items(), level);
      case Type::kDict:
        return DumpDict(value.dict(), level);
      default:
        Raise(fmt::format("Object of type {} is not JSON serializable", TypeName(value)));
    }
  }

 private:
  void NewLine(size_t level) {
    if (!options_.indented) return;
    out_.Append("\n");
    for (size_t i = 0; i < level; ++i) out_.Append(options_.indent);
  }

  void DumpList(const std::vector<Value>& items, size_t level) {
    if (items.empty()) return out_.Append("[]");
    out_.Append("[");
    for (size_t i = 0; i < items.size(); ++i) {
      if (i) out_.Append(options_.item_separator);
      NewLine(level + 1);
      Dump(items[i], level + 1);
    }
    NewLine(level);
    out_.Append("]");
  }

  void DumpDict(const DictObject& dict, size_t level) {
    if (dict.entries.empty()) return out_.Append("{}");
    out_.Append("{");
    std::vector<const std::pair<Value, Value>*> entries;
    for (const auto& entry : dict.entries) entries.push_back(&entry);
    if (options_.sort_keys) {
      std::ranges::stable_sort(entries, [&](const auto* a, const auto* b) {
        return Less(runtime_, a->first, b->first);
      });
    }
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i) out_.Append(options_.item_separator);
      NewLine(level + 1);
      const Value& key = entries[i]->first;
      if (key.IsString()) {
        out_.Append(Quote(key.string(), options_.ensure_ascii));
      } else if (key.IsNumber() || key.IsNone()) {
        out_.Append(fmt::format("\"{}\"", key.IsNone() ? "null" : Number(key)));
      } else {
        Raise(fmt::format("keys must be str, int, float, bool or None, not {}", TypeName(key)));
      }
      out_.Append(options_.key_separator);
      Dump(entries[i]->second, level + 1);
    }
    NewLine(level);
    out_.Append("}");
  }

  Runtime& runtime_;
  const JsonDumpOptions& options_;
  Buffer& out_;
};

}  // namespace

void DumpJson(Runtime& runtime, const Value& value, const JsonDumpOptions& options, Buffer& out) {
  Dumper(runtime, options, out).Dump(value, 0);
}

}  // namespace jikji::jinja
