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
#include "api/kept_answers.h"
#include "api/metrics.h"
#include "api/receipt.h"
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

// What a request's `model` stands for.
struct ServedModel {
  std::string name;  // to answer with
  // Whose prices and limits count: the first of the base's names, or the adapter's.
  std::string governed;
  int32_t adapter = kBaseModel;
};

struct ApiContext {
  ApiContext(Engine& engine, TicketIssuer& issuer, ApiOptions options);

  // As the base's requests have it, or those to an adapter.
  const ModelDescription& model(int32_t adapter = kBaseModel) const {
    return engine.model().Of(adapter);
  }
  const PromptEncoder& prompts(int32_t adapter = kBaseModel) const;
  int64_t context_tokens() const { return engine.options().context; }
  const std::string& model_name() const { return model_names.front(); }

  // NoSuchModel unless `asked` is empty, one of the model's names, or one of an adapter.
  ApiResult<ServedModel> ResolveModel(std::string_view asked) const;

  // As receipts tell of it.
  ReceiptAdapter AdapterOf(const ServedModel& served) const;

  Engine& engine;
  TicketIssuer& issuer;
  const ApiOptions options;
  const std::vector<std::string> model_names;
  const int64_t started;  // UTC seconds since 1970
  const KeyGuard keys;
  const CorsPolicy cors;
  const std::map<int32_t, PromptEncoder> encoders;  // the base's, and adapters' that differ
  const std::shared_ptr<Metrics> metrics;
  const std::shared_ptr<KeptAnswers> kept_answers = std::make_shared<KeptAnswers>();
  const ReceiptOrigin receipt_origin;
  std::map<std::string, StaticFile, std::less<>> static_files;
};

// 404.
ApiError NoSuchModel(std::string_view name);

// UTC seconds since 1970.
int64_t Now();

}  // namespace jikji

#endif  // JIKJI_API_CONTEXT_H_
