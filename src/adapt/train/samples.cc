#include "adapt/train/samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "adapt/data/chat_sample.h"
#include "adapt/data/sample_reader.h"
#include "adapt/train/text_documents.h"
#include "base/line_reader.h"
#include "base/utf8.h"

namespace jikji::train {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::unexpected<Error> Wrong(std::string why) {
  return Fail(ErrorCode::kMalformed, std::move(why));
}

Result<const json::object*> ObjectOf(const json::value& sample) {
  const json::object* object = sample.if_object();
  if (object == nullptr) return Wrong("not a JSON object");
  return object;
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
  return AppendMessages(*value, turns);
}

// The conversation with one answer. Some give it whole, beside the prompt that it begins with.
Result<std::vector<ChatTurn>> AnsweredBy(const json::object& object, const char* answer) {
  std::vector<ChatTurn> prompt, turns;
  if (object.contains("prompt")) {
    JIKJI_RETURN_IF_ERROR(AppendField(object, "prompt", "user", prompt));
  }
  JIKJI_RETURN_IF_ERROR(AppendField(object, answer, "assistant", turns));
  const bool whole =
      turns.size() > prompt.size() && std::equal(prompt.begin(), prompt.end(), turns.begin());
  if (!whole) turns.insert(turns.begin(), prompt.begin(), prompt.end());
  return turns;
}

Result<std::vector<Document>> PreferenceOf(const json::value& sample, const ChatDocuments& chats,
                                           int64_t max_rows) {
  JIKJI_ASSIGN(const json::object* object, ObjectOf(sample));
  JIKJI_ASSIGN(std::vector<ChatTurn> chosen, AnsweredBy(*object, "chosen"));
  JIKJI_ASSIGN(std::vector<ChatTurn> rejected, AnsweredBy(*object, "rejected"));
  std::vector<Document> out;
  int64_t rows = 0;
  for (std::vector<ChatTurn>* turns : {&chosen, &rejected}) {
    JIKJI_ASSIGN(Document document, chats.Encode(*turns));
    rows += static_cast<int64_t>(document.tokens.size()) - 1;
    out.push_back(std::move(document));
    turns->pop_back();
  }
  if (chosen != rejected) return Wrong("the answers are not to the same conversation");
  if (rows > max_rows) return Wrong(fmt::format("the answers are longer than {} tokens", max_rows));
  if (out[0].tokens == out[1].tokens) return Wrong("both answers are the same");
  return out;
}

Result<std::vector<Document>> ChatOf(const json::value& sample, const ChatDocuments& chats,
                                     int64_t max_rows) {
  JIKJI_ASSIGN(const std::vector<ChatTurn> turns, ReadChatSample(sample));
  JIKJI_ASSIGN(Document document, chats.Encode(turns));
  if (static_cast<int64_t>(document.tokens.size()) - 1 > max_rows) {
    return Wrong(fmt::format("longer than {} tokens", max_rows));
  }
  return std::vector<Document>{std::move(document)};
}

Result<std::vector<Document>> TextOf(const json::value& sample, const ModelDescription& model,
                                     int64_t max_rows) {
  JIKJI_ASSIGN(const json::object* object, ObjectOf(sample));
  const json::value* text = object->if_contains("text");
  if (text == nullptr || !text->is_string()) return Wrong("no `text` that is text");
  std::vector<Document> out;
  AppendTextDocuments(std::string_view(text->get_string()), model, max_rows, out);
  return out;
}

// make(sample) gives the documents of one sample.
template <class Make>
Result<> ReadSamples(const fs::path& file, Samples& out, const Make& make) {
  return ForEachSample(file, [&](Result<json::value> sample, const std::string& place) {
    auto documents = sample ? make(*sample) : std::unexpected(sample.error());
    if (!documents) return out.Refuse(documents.error().message, place);
    for (Document& document : *documents) out.documents.push_back(std::move(document));
  });
}

Result<> ReadPlainText(const fs::path& file, const ModelDescription& model, int64_t max_rows,
                       Samples& out) {
  JIKJI_ASSIGN(LineReader lines, LineReader::Open(file));
  std::string text;
  const auto flush = [&] {
    if (text.ends_with('\n')) text.pop_back();
    if (!text.empty()) AppendTextDocuments(text, model, max_rows, out.documents);
    text.clear();
  };
  while (true) {
    JIKJI_ASSIGN(const auto line, lines.Next());
    if (!line) break;
    if (!IsValidUtf8(*line)) {
      out.Refuse("not UTF-8", fmt::format("{}:{}", file.string(), lines.line()));
    } else if (line->find_first_not_of(" \t") == std::string_view::npos) {
      flush();
    } else {
      text.append(*line).push_back('\n');
    }
  }
  flush();
  return {};
}

}  // namespace

void Samples::Refuse(const std::string& reason, const std::string& where) {
  Refused& entry = refused[reason];
  if (entry.places.size() < kNamedPlaces) entry.places.push_back(where);
  ++entry.count;
}

Result<> ReadChats(const fs::path& file, const ModelDescription& model, int64_t max_rows,
                   Samples& out) {
  JIKJI_ASSIGN(const ChatDocuments chats, ChatDocuments::Create(model));
  return ReadSamples(file, out,
                     [&](const json::value& sample) { return ChatOf(sample, chats, max_rows); });
}

Result<> ReadPreferences(const fs::path& file, const ModelDescription& model, int64_t max_rows,
                         Samples& out) {
  JIKJI_ASSIGN(const ChatDocuments chats, ChatDocuments::Create(model));
  return ReadSamples(
      file, out, [&](const json::value& sample) { return PreferenceOf(sample, chats, max_rows); });
}

Result<> ReadTexts(const fs::path& file, const ModelDescription& model, int64_t max_rows,
                   Samples& out) {
  const std::string extension = DataExtension(file);
  if (extension != ".jsonl" && extension != ".json") {
    return ReadPlainText(file, model, max_rows, out);
  }
  return ReadSamples(file, out,
                     [&](const json::value& sample) { return TextOf(sample, model, max_rows); });
}

}  // namespace jikji::train
