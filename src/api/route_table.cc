#include "api/route_table.h"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>

#include "api/call_record.h"
#include "api/handlers.h"
#include "api/rate_headers.h"
#include "api/request_id.h"

namespace jikji {
namespace {

// A body longer than this takes milliseconds to parse and tokenise, in which a network thread would
// serve nobody else.
constexpr size_t kHeavyBody = 64u << 10;

constexpr Route kRoutes[] = {
    {"GET", "/health", TicketKind::kNone, Right::kNone, GetHealth},
    {"GET", "/version", TicketKind::kNone, Right::kSeeServer, GetVersion},
    {"GET", "/metrics", TicketKind::kNone, Right::kOperate, GetMetrics},
    {"GET", "/v1/models", TicketKind::kNone, Right::kSeeServer, ListModels},
    {"GET", "/v1/models/*", TicketKind::kNone, Right::kSeeServer, GetModel},
    {"POST", "/v1/chat/completions", TicketKind::kGeneration, Right::kInfer, PostChatCompletions},
    {"POST", "/v1/completions", TicketKind::kGeneration, Right::kInfer, PostCompletions},
    {"POST", "/tokenize", TicketKind::kTextTool, Right::kInfer, PostTokenize},
    {"POST", "/detokenize", TicketKind::kTextTool, Right::kInfer, PostDetokenize},
    {"GET", "/login", TicketKind::kNone, Right::kNone, BeginLogin},
    {"GET", "/login/callback", TicketKind::kNone, Right::kNone, FinishLogin},
    {"POST", "/logout", TicketKind::kNone, Right::kSeeServer, EndLogin},
    {"GET", "/v1/organization/projects", TicketKind::kNone, Right::kManageKeys,
     OrganizationProjects, true},
    {"POST", "/v1/organization/projects", TicketKind::kNone, Right::kManageKeys,
     OrganizationProjects, true},
    {"GET", "/v1/organization/projects/*", TicketKind::kNone, Right::kManageKeys,
     OrganizationProjects, true},
    {"POST", "/v1/organization/projects/*", TicketKind::kNone, Right::kManageKeys,
     OrganizationProjects, true},
    {"DELETE", "/v1/organization/projects/*", TicketKind::kNone, Right::kManageKeys,
     OrganizationProjects, true},
    {"GET", "/v1/organization/usage/completions", TicketKind::kNone, Right::kReadUsage,
     OrganizationUsage, true},
    {"GET", "/v1/organization/audit_logs", TicketKind::kNone, Right::kManageKeys,
     OrganizationAuditLogs, true},
    {"GET", "/v1/organization/costs", TicketKind::kNone, Right::kReadUsage, OrganizationCosts,
     true},
};

bool Matches(const Route& route, std::string_view path) {
  if (!route.path.ends_with('*')) return path == route.path;
  const std::string_view start = route.path.substr(0, route.path.size() - 1);
  return path.size() > start.size() && path.starts_with(start);
}

// HEAD asks for what GET would say, without the body; net/ leaves it out.
std::string_view Effective(std::string_view method) { return method == "HEAD" ? "GET" : method; }

void SendStatic(const StaticFile& file, const Reply& reply) {
  reply.Send({.content_type = file.content_type,
              .headers = {{"Cache-Control", "no-cache"}, {"X-Content-Type-Options", "nosniff"}},
              .body = file.bytes});
}

void SendNotAllowed(const std::string& allow, const net::Request& request, const Reply& reply) {
  ApiError error =
      ErrorOfStatus(405, "`" + request.path + "` takes " + allow + ", not " + request.method);
  error.code = "method_not_allowed";
  net::Response response;
  response.status = error.status;
  response.headers.emplace_back("Allow", allow);
  response.body = error.ToJson();
  reply.Send(std::move(response));
}

// The secret that a request comes with, where governance is set up.
std::string_view TokenOf(const ApiContext& context, const net::Request& request) {
  const std::string_view authorization = request.Header("Authorization");
  const bool session = authorization.empty() && context.options.login != nullptr;
  return session ? Cookie(request, kSessionCookie) : BearerToken(authorization);
}

// Who calls, where governance is set up; why a request may not go on to its route.
ApiResult<std::shared_ptr<Caller>> LetIn(const ApiContext& context, const Route& route,
                                         const net::Request& request) {
  std::shared_ptr<Caller> caller;
  if (route.right != Right::kNone) {
    if (context.options.governor != nullptr) {
      JIKJI_ASSIGN(caller, context.options.governor->Authenticate(TokenOf(context, request),
                                                                  request.peer, route.right));
    } else if (!context.keys.Admits(request.Header("Authorization"))) {
      ApiError error = ErrorOfStatus(
          401, "the API key is missing or wrong; send it as `Authorization: Bearer KEY`");
      error.code = "invalid_api_key";
      return std::unexpected(std::move(error));
    }
  }
  if (route.method != "GET" && !context.cors.Admits(request)) {
    return std::unexpected(
        ErrorOfStatus(403,
                      "pages of this origin may not call this server; its operator can add "
                      "it to the allowed origins"));
  }
  return caller;
}

// What a request with an `Idempotency-Key` answers through; nullptr: it was answered before.
ApiResult<KeptAnswers::Place> FirstOfKey(const ApiContext& context, const net::Request& request,
                                         const Caller* caller, const Reply& reply,
                                         std::shared_ptr<net::Responder> responder) {
  const Governor* governor = context.options.governor;
  const Clock& clock = governor == nullptr ? SystemClock() : governor->clock();
  return context.kept_answers->Begin(
      {.api_key = caller == nullptr ? 0 : caller->key().id,
       .organisation = caller == nullptr ? 0 : caller->key().organisation,
       .key = request.Header(kIdempotencyKey),
       .request = request,
       .now = clock.SteadyMicroseconds(),
       .may_repeat = [&] { return CallRecord(governor, caller, reply.request_id()).Repeated(); }},
      std::move(responder));
}

void Run(const Route& route, Call& call) {
  try {
    if (route.ticket == TicketKind::kTextTool) {
      const auto leave = call.issuer().Admit({.request = call.reply.request_id(),
                                              .tenant = std::string(kLocalTenant),
                                              .model = call.context->model_name(),
                                              .prompt_tokens = 0,
                                              .max_output_tokens = 0,
                                              .cache_salt = {},
                                              .priority = 0});
      if (call.caller != nullptr) call.reply.Add(RateHeaders(call.caller->status()));
      if (!leave) return call.reply.SendError(ApiError(leave.error()));
    }
    route.handler(call);
  } catch (const std::bad_alloc&) {
    call.reply.SendError(ErrorOfStatus(503, "not enough memory for this request"));
  } catch (const std::length_error&) {
    call.reply.SendError(ErrorOfStatus(413, "the request is too large"));
  }
}

}  // namespace

ApiResult<ServedModel> Call::ResolveModel(std::string_view asked) const {
  JIKJI_ASSIGN(ServedModel model, context->ResolveModel(asked));
  if (caller == nullptr || caller->MayUse(model.governed)) return model;
  return std::unexpected(NoSuchModel(model.name));
}

std::span<const Route> Routes() { return kRoutes; }

Routing FindRoute(std::string_view method, std::string_view path) {
  Routing routing;
  for (const Route& route : kRoutes) {
    if (!Matches(route, path)) continue;
    if (route.method == Effective(method)) {
      routing.route = &route;
      if (route.path.ends_with('*')) routing.rest = route.path.size() - 1;
      return routing;
    }
    if (!routing.allow.empty()) routing.allow += ", ";
    routing.allow += route.method == "GET" ? "GET, HEAD" : std::string(route.method);
  }
  return routing;
}

bool WantsBody(const ApiContext& context, const net::Request& head) {
  const Route* const route = FindRoute(head.method, head.path).route;
  if (route == nullptr) return false;
  if (route->right == Right::kNone) return true;
  const Governor* const governor = context.options.governor;
  return governor != nullptr ? governor->Knows(TokenOf(context, head))
                             : context.keys.Admits(head.Header("Authorization"));
}

void Dispatch(const std::shared_ptr<const ApiContext>& context,
              const std::function<bool(std::function<void()>)>& heavy, net::Request request,
              std::shared_ptr<net::Responder> responder) {
  const bool preflight = request.method == "OPTIONS" &&
                         !request.Header("Access-Control-Request-Method").empty() &&
                         context->cors.Admits(request);
  Reply reply(
      responder, ResolveRequestId(request.Header("X-Request-Id")),
      preflight ? context->cors.PreflightHeaders(request) : context->cors.AnswerHeaders(request));
  const auto file = context->static_files.find(request.path);
  if (file != context->static_files.end() && Effective(request.method) == "GET") {
    return SendStatic(file->second, reply);
  }
  const Routing routing = FindRoute(request.method, request.path);
  if (routing.route == nullptr) {
    if (!routing.allow.empty() || file != context->static_files.end()) {
      if (preflight) return reply.Send({.status = 204, .headers = {}, .body = {}});
      return SendNotAllowed(routing.allow.empty() ? "GET, HEAD" : routing.allow, request, reply);
    }
    ApiError error = ErrorOfStatus(404, "there is nothing at `" + request.path + "`");
    error.code = "not_found";
    return reply.SendError(error);
  }
  const Route& route = *routing.route;
  auto caller = LetIn(*context, route, request);
  if (!caller) return reply.SendError(caller.error());
  uint64_t kept = 0;
  if (route.ticket == TicketKind::kGeneration && !request.Header(kIdempotencyKey).empty()) {
    auto through = FirstOfKey(*context, request, caller->get(), reply, std::move(responder));
    if (!through) return reply.SendError(through.error());
    if (through->responder == nullptr) return;
    kept = through->number;
    reply = Reply(std::move(through->responder), reply.request_id(),
                  context->cors.AnswerHeaders(request));
  }

  const bool is_heavy = route.waits || request.body.size() > kHeavyBody;
  auto call = std::make_shared<Call>(
      Call{context, std::move(request), {}, std::move(reply), std::move(*caller), kept});
  if (routing.rest > 0) call->rest = std::string_view(call->request.path).substr(routing.rest);
  if (!is_heavy) return Run(route, *call);
  if (!heavy([&route, call] { Run(route, *call); })) {
    call->reply.SendError(ErrorOfStatus(503, "too many long requests wait already"));
  }
}

}  // namespace jikji
