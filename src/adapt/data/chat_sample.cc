#include "adapt/data/chat_sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <utility>

namespace jikji {
namespace {

namespace json = boost::json;

std::unexpected<Error> Wrong(std::string why) {
  return Fail(ErrorCode::kMalformed, std::move(why));
}

const json::string* TextOf(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_string();
}

// Text, or the texts of parts; nullopt where it is neither.
std::optional<std::string> ContentOf(const json::value& content) {
  if (content.is_string()) return std::string(content.get_string());
  if (!content.is_array()) return std::nullopt;
  std::string text;
  for (const json::value& part : content.get_array()) {
    const json::object* object = part.if_object();
    const json::string* type = object == nullptr ? nullptr : TextOf(*object, "type");
    const json::string* words = object == nullptr ? nullptr : TextOf(*object, "text");
    if (type == nullptr || *type != "text" || words == nullptr) return std::nullopt;
    text += std::string_view(*words);
  }
  return text;
}

// ShareGPT's names for the roles, and OpenAI's.
constexpr std::pair<std::string_view, std::string_view> kRoles[] = {
    {"human", "user"},        {"user", "user"},
    {"gpt", "assistant"},     {"assistant", "assistant"},
    {"chatgpt", "assistant"}, {"system", "system"},
    {"tool", "tool"}};

Result<std::string> RoleOf(std::string_view name) {
  const auto* found =
      std::ranges::find(kRoles, name, &std::pair<std::string_view, std::string_view>::first);
  if (found == std::end(kRoles)) return Wrong(fmt::format("unknown role `{}`", name));
  return std::string(found->second);
}

void AppendSystem(const json::object& sample, std::vector<ChatTurn>& turns) {
  const json::string* system = TextOf(sample, "system");
  if (system != nullptr && !system->empty()) turns.push_back({"system", std::string(*system)});
}

Result<> AppendShareGpt(const json::value& conversations, std::vector<ChatTurn>& turns) {
  if (!conversations.is_array() || conversations.get_array().empty()) {
    return Wrong("`conversations` is empty");
  }
  for (const json::value& item : conversations.get_array()) {
    const json::object* turn = item.if_object();
    const json::string* from = turn == nullptr ? nullptr : TextOf(*turn, "from");
    const json::string* value = turn == nullptr ? nullptr : TextOf(*turn, "value");
    if (from == nullptr || value == nullptr) {
      return Wrong("a turn has no `from` or `value` that is text");
    }
    JIKJI_ASSIGN(std::string role, RoleOf(*from));
    turns.push_back({std::move(role), std::string(*value)});
  }
  return {};
}

Result<> AppendAlpaca(const json::object& sample, std::vector<ChatTurn>& turns) {
  const json::string* instruction = TextOf(sample, "instruction");
  const json::string* output = TextOf(sample, "output");
  const json::value* input = sample.if_contains("input");
  const bool has_input = input != nullptr && !input->is_null();
  if (instruction == nullptr || output == nullptr || (has_input && !input->is_string())) {
    return Wrong("`instruction`, `input` or `output` is not text");
  }
  std::string question(*instruction);
  if (has_input && !input->get_string().empty()) {
    question += "\n\n" + std::string(input->get_string());
  }
  turns.push_back({"user", std::move(question)});
  turns.push_back({"assistant", std::string(*output)});
  return {};
}

}  // namespace

Result<> AppendMessages(const json::value& messages, std::vector<ChatTurn>& turns) {
  if (!messages.is_array() || messages.get_array().empty()) {
    return Wrong("`messages` is missing or empty");
  }
  for (const json::value& item : messages.get_array()) {
    const json::object* message = item.if_object();
    const json::string* role = message == nullptr ? nullptr : TextOf(*message, "role");
    const json::value* content = message == nullptr ? nullptr : message->if_contains("content");
    std::optional<std::string> text = content == nullptr ? std::nullopt : ContentOf(*content);
    if (role == nullptr || !text) {
      return Wrong("a message has no `role` or `content` that is text");
    }
    JIKJI_ASSIGN(std::string known, RoleOf(*role));
    turns.push_back({std::move(known), *std::move(text)});
  }
  return {};
}

Result<std::vector<ChatTurn>> ReadChatSample(const json::value& sample) {
  const json::object* object = sample.if_object();
  if (object == nullptr) return Wrong("not a JSON object");
  std::vector<ChatTurn> turns;
  if (const json::value* messages = object->if_contains("messages")) {
    JIKJI_RETURN_IF_ERROR(AppendMessages(*messages, turns));
  } else if (const json::value* conversations = object->if_contains("conversations")) {
    AppendSystem(*object, turns);
    JIKJI_RETURN_IF_ERROR(AppendShareGpt(*conversations, turns));
  } else if (object->contains("instruction")) {
    AppendSystem(*object, turns);
    JIKJI_RETURN_IF_ERROR(AppendAlpaca(*object, turns));
  } else {
    return Wrong("neither `messages`, `conversations` nor `instruction`");
  }
  return turns;
}

}  // namespace jikji
