#include "adapt/train/chat_documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/utf8.h"

namespace jikji::train {
namespace {

namespace json = boost::json;

// Templates that print the date get this one, so that a run's data is the same tomorrow:
// 2026-01-01.
constexpr int64_t kDate = 1767225600;

bool StartsWith(std::span<const TokenId> ids, std::span<const TokenId> with) {
  return ids.size() >= with.size() && std::equal(with.begin(), with.end(), ids.begin());
}

std::unexpected<Error> Refuse(std::string why) {
  return Fail(ErrorCode::kInvalidArgument, std::move(why));
}

}  // namespace

Result<ChatDocuments> ChatDocuments::Create(const ModelDescription& model) {
  if (model.chat_template == nullptr) {
    return Fail(ErrorCode::kUnsupported, "the model has no chat template to train with",
                model.path.string());
  }
  if (model.stop_ids.empty()) {
    return Fail(ErrorCode::kUnsupported,
                "the model names no token that ends an answer: what it learns would never stop",
                model.path.string());
  }
  return ChatDocuments(model);
}

Result<std::string> ChatDocuments::Render(std::span<const ChatTurn> turns, bool for_answer) const {
  json::array messages;
  for (const ChatTurn& turn : turns) {
    messages.push_back(json::object{{"role", turn.role}, {"content", turn.content}});
  }
  json::object variables = {{"messages", std::move(messages)},
                            {"tools", nullptr},
                            {"documents", nullptr},
                            {"add_generation_prompt", for_answer}};
  if (!model_->bos_token.empty()) variables["bos_token"] = model_->bos_token;
  if (!model_->eos_token.empty()) variables["eos_token"] = model_->eos_token;
  auto rendered = model_->chat_template->Render(variables, kDate);
  if (!rendered) return Refuse("the chat template refuses it: " + rendered.error().message);
  return rendered;
}

std::vector<TokenId> ChatDocuments::Tokens(std::string_view rendered) const {
  return model_->tokenizer->Encode(rendered, {.add_special = false, .parse_special = true});
}

Result<> ChatDocuments::CheckTexts(std::span<const ChatTurn> turns) const {
  bool answered = false;
  for (const ChatTurn& turn : turns) {
    if (!IsValidUtf8(turn.content)) return Refuse("a turn is not UTF-8");
    if (turn.role == "assistant") {
      answered = true;
      if (turn.content.find_first_not_of(" \t\r\n") == std::string::npos) {
        return Refuse("an assistant's turn is empty");
      }
    }
    for (const TokenId id : Tokens(turn.content)) {
      if (model_->tokenizer->IsSpecial(id)) {
        return Refuse(
            fmt::format("a turn spells the special token {}", model_->tokenizer->TokenBytes(id)));
      }
    }
  }
  if (!answered) return Refuse("no turn is the assistant's");
  return {};
}

Result<Document> ChatDocuments::Encode(std::span<const ChatTurn> turns) const {
  JIKJI_RETURN_IF_ERROR(CheckTexts(turns));
  // Nothing is learnt from what comes after the last answer.
  while (turns.back().role != "assistant") turns = turns.first(turns.size() - 1);
  JIKJI_ASSIGN(const std::string whole, Render(turns, false));
  Document document;
  document.tokens = Tokens(whole);
  document.trained.assign(document.tokens.size(), false);
  bool any = false;
  for (size_t i = 0; i < turns.size(); ++i) {
    if (turns[i].role != "assistant") continue;
    JIKJI_ASSIGN(const std::string before, Render(turns.first(i), true));
    const std::vector<TokenId> prompt = Tokens(before);
    // Some templates write earlier answers otherwise than the last (without their thoughts, say):
    // those are context, and only what comes after the very prompt of serving is learnt.
    if (!std::string_view(whole).starts_with(before)) continue;
    if (!StartsWith(document.tokens, prompt)) {
      return Refuse("the tokenizer joins the start of an answer with what stands before it");
    }
    const auto& stops = model_->stop_ids;
    size_t end = prompt.size();
    while (end < document.tokens.size() &&
           !std::ranges::binary_search(stops, document.tokens[end])) {
      ++end;
    }
    if (end == document.tokens.size()) {
      return Refuse(
          "the template ends an answer with no token that stops generation: the model would never "
          "learn to stop");
    }
    std::fill(document.trained.begin() + static_cast<int64_t>(prompt.size()),
              document.trained.begin() + static_cast<int64_t>(end) + 1, true);
    any = true;
  }
  if (!any) return Refuse("the chat template writes no answer after the prompt that serving gives");
  // Past the last token that is trained nothing is asked.
  while (!document.trained.back()) {
    document.trained.pop_back();
    document.tokens.pop_back();
  }
  return document;
}

}  // namespace jikji::train
