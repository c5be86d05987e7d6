#include "api/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "kernels/isa.h"

namespace jikji {

int64_t Now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

namespace {

std::map<int32_t, PromptEncoder> EncodersOf(const ModelDescription& model) {
  std::map<int32_t, PromptEncoder> out;
  out.try_emplace(kBaseModel, model);
  for (size_t i = 0; i < model.adapters.size(); ++i) {
    const auto& own = model.adapters[i].own;
    if (own != nullptr) out.try_emplace(static_cast<int32_t>(i), *own);
  }
  return out;
}

}  // namespace

ApiContext::ApiContext(Engine& engine, TicketIssuer& issuer, ApiOptions given)
    : engine(engine),
      issuer(issuer),
      options(std::move(given)),
      model_names(options.model_names.empty() ? std::vector<std::string>{engine.model().name}
                                              : options.model_names),
      started(Now()),
      keys(options.api_keys),
      cors(options.cors_origins),
      encoders(EncodersOf(engine.model())),
      metrics(std::make_shared<Metrics>(model_names.front(), engine.options().context)),
      receipt_origin{.program = options.version,
                     .model_digest = options.model_digest,
                     .isa = std::string(kernels::IsaName(kernels::ActiveIsa())),
                     .kv_dtype = std::string(DTypeName(engine.options().kv_dtype)),
                     .guarded = options.guard != nullptr} {}

const PromptEncoder& ApiContext::prompts(int32_t adapter) const {
  const auto own = encoders.find(adapter);
  return own == encoders.end() ? encoders.at(kBaseModel) : own->second;
}

ApiResult<ServedModel> ApiContext::ResolveModel(std::string_view asked) const {
  if (asked.empty()) asked = model_name();
  if (std::ranges::find(model_names, asked) != model_names.end()) {
    return ServedModel{std::string(asked), model_name(), kBaseModel};
  }
  const auto& adapters = model().adapters;
  const auto adapter = std::ranges::find(adapters, asked, &AdapterDescription::name);
  if (adapter == adapters.end()) return std::unexpected(NoSuchModel(asked));
  return ServedModel{adapter->name, adapter->name,
                     static_cast<int32_t>(adapter - adapters.begin())};
}

ReceiptAdapter ApiContext::AdapterOf(const ServedModel& served) const {
  if (served.adapter == kBaseModel) return {};
  const auto number = static_cast<size_t>(served.adapter);
  return {served.governed,
          number < options.adapter_digests.size() ? options.adapter_digests[number] : ""};
}

ApiError NoSuchModel(std::string_view name) {
  ApiError error = ErrorOfStatus(404, fmt::format("The model `{}` does not exist.", name));
  error.param = "model";
  error.code = "model_not_found";
  return error;
}

}  // namespace jikji
