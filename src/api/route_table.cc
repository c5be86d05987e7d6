#include "api/route_table.h"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>

#include "api/handlers.h"
#include "api/request_id.h"

namespace jikji {
namespace {

// A body longer than this takes milliseconds to parse and tokenise, in which a network thread would
// serve nobody else.
constexpr size_t kHeavyBody = 64u << 10;

constexpr Route kRoutes[] = {
    {"GET", "/health", TicketKind::kNone, false, GetHealth},
    {"GET", "/version", TicketKind::kNone, true, GetVersion},
    {"GET", "/metrics", TicketKind::kNone, true, GetMetrics},
    {"GET", "/v1/models", TicketKind::kNone, true, ListModels},
    {"GET", "/v1/models/*", TicketKind::kNone, true, GetModel},
    {"POST", "/v1/chat/completions", TicketKind::kGeneration, true, PostChatCompletions},
    {"POST", "/v1/completions", TicketKind::kGeneration, true, PostCompletions},
    {"POST", "/tokenize", TicketKind::kTextTool, true, PostTokenize},
    {"POST", "/detokenize", TicketKind::kTextTool, true, PostDetokenize},
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

// Why a request may not go on to its route.
std::optional<ApiError> Refusal(const ApiContext& context, const Route& route,
                                const net::Request& request) {
  if (route.needs_key && !context.keys.Admits(request.Header("Authorization"))) {
    ApiError error = ErrorOfStatus(
        401, "the API key is missing or wrong; send it as `Authorization: Bearer KEY`");
    error.code = "invalid_api_key";
    return error;
  }
  if (route.method != "GET" && !context.cors.Admits(request)) {
    return ErrorOfStatus(403,
                         "pages of this origin may not call this server; its operator can add "
                         "it to the allowed origins");
  }
  return std::nullopt;
}

void Run(const Route& route, Call& call) {
  try {
    if (route.ticket == TicketKind::kTextTool) {
      const auto leave = call.context->issuer.Admit({.tenant = std::string(kLocalTenant),
                                                     .prompt_tokens = 0,
                                                     .max_output_tokens = 0,
                                                     .cache_salt = {},
                                                     .priority = 0});
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

void Dispatch(const std::shared_ptr<const ApiContext>& context,
              const std::function<bool(std::function<void()>)>& heavy, net::Request request,
              std::shared_ptr<net::Responder> responder) {
  const bool preflight = request.method == "OPTIONS" &&
                         !request.Header("Access-Control-Request-Method").empty() &&
                         context->cors.Admits(request);
  Reply reply(
      std::move(responder), ResolveRequestId(request.Header("X-Request-Id")),
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
  if (const auto refusal = Refusal(*context, route, request)) return reply.SendError(*refusal);

  const bool is_heavy = request.body.size() > kHeavyBody;
  auto call = std::make_shared<Call>(Call{context, std::move(request), {}, std::move(reply)});
  if (routing.rest > 0) call->rest = std::string_view(call->request.path).substr(routing.rest);
  if (!is_heavy) return Run(route, *call);
  if (!heavy([&route, call] { Run(route, *call); })) {
    call->reply.SendError(ErrorOfStatus(503, "too many long requests wait already"));
  }
}

}  // namespace jikji
