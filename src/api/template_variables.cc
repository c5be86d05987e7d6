#include "api/template_variables.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/json.h"

namespace jikji {
namespace {

boost::json::object MessageObject(const ChatMessage& message) {
  boost::json::object object;
  object["role"] = message.role;
  object["content"] = message.content;
  if (message.name) object["name"] = *message.name;
  if (message.tool_call_id) object["tool_call_id"] = *message.tool_call_id;
  if (message.reasoning) {
    // Templates know it by either name.
    object["reasoning"] = *message.reasoning;
    object["reasoning_content"] = *message.reasoning;
  }
  if (!message.tool_calls.empty()) {
    boost::json::array calls;
    for (const ToolCall& call : message.tool_calls) {
      // Parsed once already, when the request was checked.
      auto arguments = ParseJson(call.arguments);
      boost::json::object function;
      function["name"] = call.name;
      function["arguments"] =
          arguments ? std::move(*arguments) : boost::json::value(boost::json::object());
      calls.push_back(boost::json::object{
          {"id", call.id}, {"type", "function"}, {"function", std::move(function)}});
    }
    object["tool_calls"] = std::move(calls);
  }
  return object;
}

// Calls visit(text) for every string of a value, the keys of objects included.
template <class Visit>
void ForEachString(const boost::json::value& value, const Visit& visit) {
  if (const auto* text = value.if_string()) {
    visit(std::string_view(*text));
  } else if (const auto* array = value.if_array()) {
    for (const auto& item : *array) ForEachString(item, visit);
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      visit(std::string_view(member.key()));
      ForEachString(member.value(), visit);
    }
  }
}

class Protector {
 public:
  Protector(const SpecialSpellings& spellings, StandIns& stand_ins)
      : spellings_(spellings), stand_ins_(stand_ins) {}

  bool has_spelling() const { return has_spelling_; }
  bool has_fragment() const { return has_fragment_; }

  std::string Text(std::string_view text, bool fragments) {
    std::vector<TextSpan> spans = spellings_.FindWhole(text);
    has_spelling_ |= !spans.empty();
    if (fragments) {
      const auto more = spellings_.FindFragments(text, spans);
      has_fragment_ |= !more.empty();
      spans.insert(spans.end(), more.begin(), more.end());
      std::ranges::sort(spans, {}, &TextSpan::begin);
    }
    if (spans.empty()) return std::string(text);
    return stand_ins_.Replace(text, spans);
  }

  boost::json::value Value(const boost::json::value& value, bool fragments) {
    if (const auto* text = value.if_string()) return boost::json::value(Text(*text, fragments));
    if (const auto* array = value.if_array()) {
      boost::json::array out;
      for (const auto& item : *array) out.push_back(Value(item, fragments));
      return out;
    }
    if (const auto* object = value.if_object()) {
      boost::json::object out;
      for (const auto& member : *object) {
        // Keys are names that a template looks for: a part of a spelling in one is left as it is.
        out[Text(member.key(), false)] = Value(member.value(), fragments);
      }
      return out;
    }
    return value;
  }

  boost::json::value Message(const boost::json::object& message) {
    boost::json::object out;
    for (const auto& member : message) {
      // Checked against a list, so that it is ours and not the caller's.
      out[member.key()] =
          member.key() == "role" ? member.value() : Value(member.value(), /*fragments=*/true);
    }
    return out;
  }

 private:
  const SpecialSpellings& spellings_;
  StandIns& stand_ins_;
  bool has_spelling_ = false;
  bool has_fragment_ = false;
};

}  // namespace

boost::json::object TemplateVariables(const ChatTurns& turns, const std::string& bos_token,
                                      const std::string& eos_token) {
  boost::json::object variables;
  if (turns.template_variables != nullptr) variables = *turns.template_variables;
  boost::json::array messages;
  messages.reserve(turns.messages.size());
  for (const ChatMessage& message : turns.messages) messages.push_back(MessageObject(message));
  variables["messages"] = std::move(messages);
  variables["tools"] = nullptr;
  variables["documents"] = nullptr;
  variables["add_generation_prompt"] = turns.add_generation_prompt;
  if (!bos_token.empty()) variables["bos_token"] = bos_token;
  if (!eos_token.empty()) variables["eos_token"] = eos_token;
  return variables;
}

ProtectedVariables ProtectVariables(const boost::json::object& variables, const ChatTurns& turns,
                                    const SpecialSpellings& spellings,
                                    std::string_view template_source, StandIns& stand_ins) {
  stand_ins.Avoid(template_source);
  for (const auto& member : variables) {
    ForEachString(member.value(), [&](std::string_view text) { stand_ins.Avoid(text); });
  }
  Protector protector(spellings, stand_ins);
  ProtectedVariables result{.variables = variables};
  boost::json::array messages;
  for (const auto& message : variables.at("messages").as_array()) {
    messages.push_back(protector.Message(message.get_object()));
  }
  result.variables["messages"] = std::move(messages);
  if (turns.template_variables != nullptr) {
    for (const auto& member : *turns.template_variables) {
      result.variables[member.key()] = protector.Value(member.value(), /*fragments=*/false);
    }
  }
  result.has_spelling = protector.has_spelling();
  result.has_fragment = protector.has_fragment();
  return result;
}

}  // namespace jikji
