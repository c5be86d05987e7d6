#include "api/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace jikji {

int64_t Now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

ApiContext::ApiContext(Engine& engine, TicketIssuer& issuer, ApiOptions given)
    : engine(engine),
      issuer(issuer),
      options(std::move(given)),
      model_names(options.model_names.empty() ? std::vector<std::string>{engine.model().name}
                                              : options.model_names),
      started(Now()),
      keys(options.api_keys),
      cors(options.cors_origins),
      prompts(engine.model()),
      metrics(std::make_shared<Metrics>(model_names.front(), engine.options().context)) {}

ApiResult<std::string> ApiContext::ResolveModel(std::string_view asked) const {
  if (asked.empty()) return model_name();
  const auto named = std::ranges::find(model_names, asked);
  if (named != model_names.end()) return *named;
  return std::unexpected(NoSuchModel(asked));
}

ApiError NoSuchModel(std::string_view name) {
  ApiError error = ErrorOfStatus(404, fmt::format("The model `{}` does not exist.", name));
  error.param = "model";
  error.code = "model_not_found";
  return error;
}

}  // namespace jikji
