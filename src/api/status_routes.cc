#include "api/handlers.h"
#include "api/json_text.h"

namespace jikji {

void GetHealth(Call& call) {
  const EngineHealth health = call.context->engine.Health(call.context->options.health_limit);
  if (health.healthy) return call.reply.SendJson("{}");
  call.reply.SendError(ErrorOfStatus(503, health.reason));
}

void GetVersion(Call& call) {
  std::string body = R"({"version":)";
  AppendJsonString(call.context->options.version, body);
  body += '}';
  call.reply.SendJson(std::move(body));
}

void GetMetrics(Call& call) {
  const ApiContext& context = *call.context;
  call.reply.Send({.content_type = "text/plain; version=0.0.4; charset=utf-8",
                   .headers = {},
                   .body = context.metrics->Text(context.engine.stats(), context.engine.options(),
                                                 context.options.gpu.get())});
}

}  // namespace jikji
