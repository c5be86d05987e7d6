#include "api/chat_prompt.h"

#include <algorithm>
#include <boost/json.hpp>

#include "api/stand_ins.h"
#include "api/template_variables.h"

namespace jikji {
namespace {

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// Cuts what a template wrote after the text of the last message, so that the model goes on with it.
ApiResult<> CutAfterLastMessage(const boost::json::object& variables, std::string& rendered) {
  const boost::json::value& last = variables.at("messages").as_array().back();
  const std::string_view content = last.as_object().at("content").as_string();
  const std::string_view trimmed = Trim(content);
  const size_t at = rendered.rfind(trimmed);
  if (trimmed.empty() || at == std::string::npos) {
    return BadField("continue_final_message",
                    "the chat template does not write the last message as it is, so it cannot be "
                    "continued");
  }
  // Space at its end stays where the template left it.
  const size_t tail_at = static_cast<size_t>(trimmed.data() - content.data());
  const std::string_view with_tail = content.substr(tail_at);
  const bool kept = std::string_view(rendered).substr(at).starts_with(with_tail);
  rendered.resize(at + (kept ? with_tail.size() : trimmed.size()));
  return {};
}

// Text of a rendered template with stand-ins in it, encoded so that what they stand for is plain.
std::vector<TokenId> EncodeProtected(std::string_view rendered, const Tokenizer& tokenizer,
                                     const SpecialSpellings& spellings, const StandIns& stand_ins,
                                     bool add_special) {
  std::vector<TokenId> ids;
  const auto encode = [&](std::string_view text, bool parse_special) {
    if (text.empty()) return;
    const auto more =
        tokenizer.Encode(text, {.add_special = add_special, .parse_special = parse_special});
    ids.insert(ids.end(), more.begin(), more.end());
    add_special = false;  // at the start of a prompt only
  };
  size_t done = 0;       // where the text not yet encoded begins
  size_t run_begin = 0;  // where the run without special tokens begins
  const auto end_run = [&](size_t run_end) {
    const std::string_view run = rendered.substr(run_begin, run_end - run_begin);
    if (!stand_ins.Contains(run)) return;  // it is encoded with what is around it
    encode(rendered.substr(done, run_begin - done), true);
    encode(stand_ins.Restore(run), false);
    done = run_end;
  };
  for (const TextSpan& special : spellings.FindWhole(rendered)) {
    end_run(special.begin);
    run_begin = special.end;
  }
  end_run(rendered.size());
  encode(rendered.substr(done), true);
  return ids;
}

std::vector<TokenId> SpecialsOf(const std::vector<TokenId>& ids, const Tokenizer& tokenizer) {
  std::vector<TokenId> specials;
  std::ranges::copy_if(ids, std::back_inserter(specials),
                       [&](TokenId id) { return tokenizer.IsSpecial(id); });
  return specials;
}

}  // namespace

PromptEncoder::PromptEncoder(const ModelDescription& model)
    : model_(model), spellings_(*model.tokenizer) {}

ApiResult<std::string> PromptEncoder::Render(const ChatTurns& turns,
                                             const boost::json::object& variables,
                                             int64_t now) const {
  auto rendered = model_.chat_template->Render(variables, now);
  if (!rendered) {
    Error error = std::move(rendered).error();
    // Whatever the template stumbled over, it was these messages; its limits are no rate limit.
    if (error.code != ErrorCode::kInternal) error.code = ErrorCode::kInvalidArgument;
    error.where = "messages";
    return std::unexpected(ApiError(error));
  }
  if (turns.continue_final_message) {
    JIKJI_RETURN_IF_ERROR(CutAfterLastMessage(variables, *rendered));
  }
  return std::move(*rendered);
}

std::vector<TokenId> PromptEncoder::EncodeRendered(std::string_view rendered,
                                                   const ChatTurns& turns) const {
  return model_.tokenizer->Encode(
      rendered, {.add_special = AddsSpecial(rendered, turns), .parse_special = true});
}

bool PromptEncoder::AddsSpecial(std::string_view rendered, const ChatTurns& turns) const {
  const bool has_bos = !model_.bos_token.empty() && rendered.starts_with(model_.bos_token);
  return turns.add_special_tokens && !has_bos;
}

ApiResult<std::vector<TokenId>> PromptEncoder::EncodeChat(const ChatTurns& turns,
                                                          int64_t now) const {
  if (model_.chat_template == nullptr) {
    return BadField("messages",
                    "this model has no chat template; use /v1/completions with a prompt written "
                    "out");
  }
  const boost::json::object variables =
      TemplateVariables(turns, model_.bos_token, model_.eos_token);
  JIKJI_ASSIGN(const std::string rendered, Render(turns, variables, now));
  std::vector<TokenId> plain = EncodeRendered(rendered, turns);

  StandIns stand_ins;
  const ProtectedVariables safe_variables =
      ProtectVariables(variables, turns, spellings_, model_.template_source, stand_ins);
  if (!safe_variables.has_spelling && !safe_variables.has_fragment) return plain;
  if (!stand_ins.enough()) {
    return BadField("messages", "the messages spell too many special tokens");
  }
  JIKJI_ASSIGN(const std::string safe, Render(turns, safe_variables.variables, now));
  const Tokenizer& tokenizer = *model_.tokenizer;
  std::vector<TokenId> careful =
      EncodeProtected(safe, tokenizer, spellings_, stand_ins, AddsSpecial(safe, turns));
  // Only ends of texts were in doubt, and beside what the template wrote they spelled nothing: the
  // text as a whole is encoded, as if it had not been looked at.
  if (!safe_variables.has_spelling &&
      SpecialsOf(plain, tokenizer) == SpecialsOf(careful, tokenizer)) {
    return plain;
  }
  return careful;
}

std::vector<TokenId> PromptEncoder::EncodeText(std::string_view text,
                                               bool add_special_tokens) const {
  return model_.tokenizer->Encode(text, {.add_special = add_special_tokens, .parse_special = true});
}

}  // namespace jikji
