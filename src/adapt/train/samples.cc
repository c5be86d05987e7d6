#include "adapt/train/samples.h"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>

#include "adapt/train/text_documents.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"

namespace jikji::train {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr uint64_t kMaxFileBytes = 16ull << 30;

// visit(line, number) for each line that is not empty.
template <class Visit>
void ForEachLine(std::string_view text, const Visit& visit) {
  int64_t number = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") != std::string_view::npos) visit(line, number);
  }
}

std::unexpected<Error> Wrong(std::string why) {
  return Fail(ErrorCode::kMalformed, std::move(why));
}

Result<json::object> LineObject(std::string_view line) {
  if (!IsValidUtf8(line)) return Wrong("the line is not UTF-8");
  auto value = ParseJson(line);
  if (!value) return Wrong("the line is not JSON");
  if (!value->is_object()) return Wrong("the line is not a JSON object");
  return std::move(value->get_object());
}

Result<> AppendTurn(const json::value& item, std::vector<ChatTurn>& turns) {
  const json::object* message = item.if_object();
  const auto text = [&](const char* key) -> const json::string* {
    const json::value* value = message == nullptr ? nullptr : message->if_contains(key);
    return value == nullptr ? nullptr : value->if_string();
  };
  const json::string* role = text("role");
  const json::string* content = text("content");
  if (role == nullptr || content == nullptr) {
    return Wrong("a message has no `role` or `content` that is text");
  }
  if (*role != "system" && *role != "user" && *role != "assistant" && *role != "tool") {
    return Wrong(fmt::format("unknown role `{}`", std::string_view(*role)));
  }
  turns.push_back({std::string(*role), std::string(*content)});
  return {};
}

Result<std::vector<ChatTurn>> TurnsOf(std::string_view line) {
  JIKJI_ASSIGN(const json::object object, LineObject(line));
  const json::value* messages = object.if_contains("messages");
  if (messages == nullptr || !messages->is_array() || messages->get_array().empty()) {
    return Wrong("`messages` is missing or empty");
  }
  std::vector<ChatTurn> turns;
  for (const json::value& item : messages->get_array()) {
    JIKJI_RETURN_IF_ERROR(AppendTurn(item, turns));
  }
  return turns;
}

// A field of a preference: text of that role, or messages.
Result<> AppendField(const json::object& object, const char* key, const char* role,
                     std::vector<ChatTurn>& turns) {
  const json::value* value = object.if_contains(key);
  if (value != nullptr && value->is_string()) {
    turns.push_back({role, std::string(value->get_string())});
    return {};
  }
  if (value == nullptr || !value->is_array() || value->get_array().empty()) {
    return Wrong(fmt::format("`{}` is neither text nor messages", key));
  }
  for (const json::value& item : value->get_array()) {
    JIKJI_RETURN_IF_ERROR(AppendTurn(item, turns));
  }
  return {};
}

Result<std::array<Document, 2>> PreferenceLine(std::string_view line, const ChatDocuments& chats,
                                               int64_t max_rows) {
  JIKJI_ASSIGN(const json::object object, LineObject(line));
  std::array<Document, 2> out;
  int64_t rows = 0;
  for (size_t i = 0; i < 2; ++i) {
    std::vector<ChatTurn> turns;
    if (object.contains("prompt")) {
      JIKJI_RETURN_IF_ERROR(AppendField(object, "prompt", "user", turns));
    }
    JIKJI_RETURN_IF_ERROR(AppendField(object, i == 0 ? "chosen" : "rejected", "assistant", turns));
    JIKJI_ASSIGN(out[i], chats.Encode(turns));
    rows += static_cast<int64_t>(out[i].tokens.size()) - 1;
  }
  if (rows > max_rows) return Wrong(fmt::format("the answers are longer than {} tokens", max_rows));
  if (out[0].tokens == out[1].tokens) return Wrong("both answers are the same");
  return out;
}

Result<Document> ChatLine(std::string_view line, const ChatDocuments& chats, int64_t max_rows) {
  JIKJI_ASSIGN(const std::vector<ChatTurn> turns, TurnsOf(line));
  JIKJI_ASSIGN(Document document, chats.Encode(turns));
  if (static_cast<int64_t>(document.tokens.size()) - 1 > max_rows) {
    return Wrong(fmt::format("longer than {} tokens", max_rows));
  }
  return document;
}

Result<std::string> TextLine(std::string_view line) {
  JIKJI_ASSIGN(const json::object object, LineObject(line));
  const json::value* text = object.if_contains("text");
  if (text == nullptr || !text->is_string()) return Wrong("no `text` that is text");
  return std::string(text->get_string());
}

}  // namespace

void Samples::Refuse(const std::string& reason, const std::string& where) {
  Refused& entry = refused[reason];
  if (entry.count++ == 0) entry.first = where;
}

Result<> ReadChats(const fs::path& file, const ModelDescription& model, int64_t max_rows,
                   Samples& out) {
  JIKJI_ASSIGN(const ChatDocuments chats, ChatDocuments::Create(model));
  JIKJI_ASSIGN(const std::string content, ReadFile(file, kMaxFileBytes));
  ForEachLine(content, [&](std::string_view line, int64_t number) {
    auto document = ChatLine(line, chats, max_rows);
    if (document) {
      out.documents.push_back(std::move(*document));
    } else {
      out.Refuse(document.error().message, fmt::format("{}:{}", file.string(), number));
    }
  });
  return {};
}

Result<> ReadPreferences(const fs::path& file, const ModelDescription& model, int64_t max_rows,
                         Samples& out) {
  JIKJI_ASSIGN(const ChatDocuments chats, ChatDocuments::Create(model));
  JIKJI_ASSIGN(const std::string content, ReadFile(file, kMaxFileBytes));
  ForEachLine(content, [&](std::string_view line, int64_t number) {
    auto pair = PreferenceLine(line, chats, max_rows);
    if (!pair) {
      out.Refuse(pair.error().message, fmt::format("{}:{}", file.string(), number));
      return;
    }
    for (Document& document : *pair) out.documents.push_back(std::move(document));
  });
  return {};
}

Result<> ReadTexts(const fs::path& file, const ModelDescription& model, int64_t max_rows,
                   Samples& out) {
  JIKJI_ASSIGN(const std::string content, ReadFile(file, kMaxFileBytes));
  if (file.extension() == ".jsonl") {
    ForEachLine(content, [&](std::string_view line, int64_t number) {
      const auto text = TextLine(line);
      if (text) {
        AppendTextDocuments(*text, model, max_rows, out.documents);
      } else {
        out.Refuse(text.error().message, fmt::format("{}:{}", file.string(), number));
      }
    });
    return {};
  }
  if (!IsValidUtf8(content)) {
    return Fail(ErrorCode::kMalformed, "is not UTF-8", file.string());
  }
  std::string_view rest = content;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find("\n\n"), rest.size());
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 2, rest.size()));
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) continue;
    AppendTextDocuments(text, model, max_rows, out.documents);
  }
  return {};
}

}  // namespace jikji::train
