#include "api/handlers.h"
#include "api/json_text.h"

namespace jikji {
namespace {

void AppendModel(const ApiContext& context, const ServedModel& model, std::string& out) {
  const bool adapted = model.adapter != kBaseModel;
  out += R"({"id":)";
  AppendJsonString(model.name, out);
  out += R"(,"object":"model","created":)";
  AppendJsonInt(context.started, out);
  out += R"(,"owned_by":"jikji","root":)";
  AppendJsonString(adapted ? model.name : context.model().name, out);
  out += R"(,"parent":)";
  if (adapted) {
    AppendJsonString(context.model_name(), out);
  } else {
    out += "null";
  }
  out += R"(,"max_model_len":)";
  AppendJsonInt(context.context_tokens(), out);
  out += R"(,"permission":[]})";
}

}  // namespace

void ListModels(Call& call) {
  std::vector<std::string> names = call.context->model_names;
  for (const AdapterDescription& adapter : call.context->model().adapters) {
    names.push_back(adapter.name);
  }
  std::string body = R"({"object":"list","data":[)";
  bool first = true;
  for (const std::string& name : names) {
    const auto model = call.ResolveModel(name);
    if (!model) continue;  // not the caller's
    if (!std::exchange(first, false)) body += ',';
    AppendModel(*call.context, *model, body);
  }
  body += "]}";
  call.reply.SendJson(std::move(body));
}

void GetModel(Call& call) {
  const auto model = call.ResolveModel(call.rest);
  if (!model) return call.reply.SendError(model.error());
  std::string body;
  AppendModel(*call.context, *model, body);
  call.reply.SendJson(std::move(body));
}

}  // namespace jikji
