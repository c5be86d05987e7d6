#include <boost/json.hpp>
#include <limits>

#include "api/chat_request.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/json_text.h"
#include "base/json.h"
#include "text/normalize.h"

namespace jikji {
namespace {

ApiResult<std::vector<TokenId>> Tokenize(const PromptEncoder& prompts,
                                         const boost::json::object& body) {
  if (body.contains("messages")) {
    JIKJI_ASSIGN(const ChatTurns turns, ParseChatTurns(body));
    return prompts.EncodeChat(turns, Now());
  }
  JIKJI_ASSIGN(const auto prompt, OptionalString(body, "prompt"));
  if (!prompt) return BadField("prompt", "`prompt` or `messages` is missing");
  JIKJI_ASSIGN(const bool add_special, BoolOr(body, "add_special_tokens", true));
  return prompts.EncodeText(NormalizeNfc(*prompt), add_special);
}

ApiResult<std::string> TokenizeBody(const Call& call) {
  const ApiContext& context = *call.context;
  JIKJI_ASSIGN(const boost::json::value body, ParseBody(call.request.body));
  const boost::json::object& object = body.get_object();
  JIKJI_ASSIGN(const auto model, OptionalString(object, "model"));
  JIKJI_ASSIGN(const ServedModel served, call.ResolveModel(model.value_or("")));
  JIKJI_ASSIGN(const bool with_strings, BoolOr(object, "return_token_strs", false));
  JIKJI_ASSIGN(const std::vector<TokenId> ids, Tokenize(context.prompts(served.adapter), object));

  std::string out = R"({"count":)";
  AppendJsonInt(static_cast<int64_t>(ids.size()), out);
  out += R"(,"max_model_len":)";
  AppendJsonInt(context.context_tokens(), out);
  out += R"(,"tokens":[)";
  for (size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) out += ',';
    AppendJsonInt(ids[i], out);
  }
  out += R"(],"token_strs":)";
  if (with_strings) {
    out += '[';
    for (size_t i = 0; i < ids.size(); ++i) {
      if (i > 0) out += ',';
      AppendJsonString(context.model(served.adapter).tokenizer->TokenBytes(ids[i]), out);
    }
    out += ']';
  } else {
    out += "null";
  }
  out += '}';
  return out;
}

ApiResult<std::string> DetokenizeBody(const Call& call) {
  const ApiContext& context = *call.context;
  JIKJI_ASSIGN(const boost::json::value body, ParseBody(call.request.body));
  const boost::json::object& object = body.get_object();
  JIKJI_ASSIGN(const auto model, OptionalString(object, "model"));
  JIKJI_ASSIGN(const ServedModel served, call.ResolveModel(model.value_or("")));
  const Tokenizer& tokenizer = *context.model(served.adapter).tokenizer;
  if (!object.contains("tokens")) return BadField("tokens", "`tokens` is missing");
  JIKJI_ASSIGN(
      const std::vector<TokenId> ids,
      TokenIds(object, "tokens", std::numeric_limits<size_t>::max(), tokenizer.vocab_size()));
  std::string out = R"({"prompt":)";
  AppendJsonString(tokenizer.Decode(ids, /*skip_special=*/false), out);
  out += '}';
  return out;
}

void Answer(Call& call, ApiResult<std::string> body) {
  if (!body) return call.reply.SendError(body.error());
  call.reply.SendJson(std::move(*body));
}

}  // namespace

void PostTokenize(Call& call) { Answer(call, TokenizeBody(call)); }

void PostDetokenize(Call& call) { Answer(call, DetokenizeBody(call)); }

}  // namespace jikji
