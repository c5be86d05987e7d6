#include "api/service.h"

#include <algorithm>

#include "api/context.h"
#include "api/route_table.h"
#include "base/workers.h"
#include "govern/login/login.h"

namespace jikji {
namespace {

// Long requests that wait for a worker; each holds its body.
constexpr size_t kMaxHeavyWaiting = 64;

}  // namespace

struct Service::Core {
  Core(Engine& engine, TicketIssuer& issuer, ApiOptions options)
      : workers(std::max<size_t>(options.workers, 1), kMaxHeavyWaiting),
        context(std::make_shared<ApiContext>(engine, issuer, std::move(options))) {}

  Workers workers;
  std::shared_ptr<ApiContext> context;
};

Result<std::unique_ptr<Service>> Service::Create(Engine& engine, TicketIssuer& issuer,
                                                 ApiOptions options) {
  const auto is_empty = [](const std::string& text) { return text.empty(); };
  if (std::ranges::any_of(options.api_keys, is_empty)) {
    // It would let in whoever sends an empty key: a mistake in a settings file, never a wish.
    return Fail(ErrorCode::kInvalidArgument, "an API key is empty");
  }
  if (std::ranges::any_of(options.model_names, is_empty)) {
    return Fail(ErrorCode::kInvalidArgument, "a model name is empty");
  }
  const std::vector<std::string> names = options.model_names.empty()
                                             ? std::vector<std::string>{engine.model().name}
                                             : options.model_names;
  for (const AdapterDescription& adapter : engine.model().adapters) {
    if (std::ranges::find(names, adapter.name) == names.end()) continue;
    return Fail(ErrorCode::kInvalidArgument,
                "an adapter has the name of its base: `" + adapter.name + "`");
  }
  if (options.governor != nullptr && !options.api_keys.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "keys are in the store, so no API key can be given beside it");
  }
  auto core = std::make_shared<Core>(engine, issuer, std::move(options));
  if (core->context->options.governor != nullptr) {
    core->context->options.governor->OnRound(
        [kept = std::weak_ptr(core->context->kept_answers)](const Directory& directory) {
          if (const auto answers = kept.lock()) answers->Enforce(directory);
        });
  }
  engine.SetObserver(Metrics::MakeObserver(core->context->metrics));
  return std::unique_ptr<Service>(new Service(std::move(core)));
}

Service::Service(std::shared_ptr<Core> core) : core_(std::move(core)) {}

Service::~Service() {
  core_->workers.Stop();
  if (core_->context->options.login != nullptr) core_->context->options.login->workers().Stop();
}

void Service::AddStatic(std::string path, std::string content_type, std::string bytes) {
  core_->context->static_files[std::move(path)] = {std::move(content_type), std::move(bytes)};
}

net::Handler Service::handler() const {
  return [core = core_](net::Request request, std::shared_ptr<net::Responder> responder) {
    Dispatch(
        core->context,
        [&core](std::function<void()> job) { return core->workers.Post(std::move(job)); },
        std::move(request), std::move(responder));
  };
}

std::function<bool(const net::Request&)> Service::wants_body() const {
  return [core = core_](const net::Request& head) { return WantsBody(*core->context, head); };
}

size_t Service::kept_bytes() const { return core_->context->kept_answers->bytes(); }

std::string Service::ErrorBody(int status, std::string_view message) {
  return ErrorOfStatus(status, message).ToJson();
}

}  // namespace jikji
