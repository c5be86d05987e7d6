#include "api/handlers.h"
#include "api/json_text.h"

namespace jikji {
namespace {

void AppendModel(const ApiContext& context, const std::string& name, std::string& out) {
  out += R"({"id":)";
  AppendJsonString(name, out);
  out += R"(,"object":"model","created":)";
  AppendJsonInt(context.started, out);
  out += R"(,"owned_by":"jikji","root":)";
  AppendJsonString(context.model().name, out);
  out += R"(,"parent":null,"max_model_len":)";
  AppendJsonInt(context.context_tokens(), out);
  out += R"(,"permission":[]})";
}

}  // namespace

void ListModels(Call& call) {
  std::string body = R"({"object":"list","data":[)";
  const bool all = call.ResolveModel("").has_value();
  for (size_t i = 0; all && i < call.context->model_names.size(); ++i) {
    if (i > 0) body += ',';
    AppendModel(*call.context, call.context->model_names[i], body);
  }
  body += "]}";
  call.reply.SendJson(std::move(body));
}

void GetModel(Call& call) {
  const auto name = call.ResolveModel(call.rest);
  if (!name) return call.reply.SendError(name.error());
  std::string body;
  AppendModel(*call.context, *name, body);
  call.reply.SendJson(std::move(body));
}

}  // namespace jikji
