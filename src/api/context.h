// What the routes work with: one engine, who may enter it, and what was set up at the start.
#ifndef JIKJI_API_CONTEXT_H_
#define JIKJI_API_CONTEXT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/access.h"
#include "api/api_error.h"
#include "api/chat_prompt.h"
#include "api/metrics.h"
#include "api/service.h"
#include "engine/engine.h"
#include "engine/ticket.h"
#include "govern/governor.h"

namespace jikji {

// Whoever calls with a right key, until govern/ tells tenants apart.
inline constexpr std::string_view kLocalTenant = "local";

struct StaticFile {
  std::string content_type;
  std::string bytes;
};

struct ApiContext {
  ApiContext(Engine& engine, TicketIssuer& issuer, ApiOptions options);

  const ModelDescription& model() const { return engine.model(); }
  int64_t context_tokens() const { return engine.options().context; }
  const std::string& model_name() const { return model_names.front(); }

  // The name to answer with; NoSuchModel unless `asked` is empty or one of the model's names.
  ApiResult<std::string> ResolveModel(std::string_view asked) const;

  Engine& engine;
  TicketIssuer& issuer;
  const ApiOptions options;
  const std::vector<std::string> model_names;
  const int64_t started;  // UTC seconds since 1970
  const KeyGuard keys;
  const CorsPolicy cors;
  const PromptEncoder prompts;
  const std::shared_ptr<Metrics> metrics;
  std::map<std::string, StaticFile, std::less<>> static_files;
};

// 404.
ApiError NoSuchModel(std::string_view name);

// UTC seconds since 1970.
int64_t Now();

}  // namespace jikji

#endif  // JIKJI_API_CONTEXT_H_
