// Every route there is, in one table, and the way from a request to its handler.
//
// The sweep in the tests goes over this table: a route that is added here is covered by it.
#ifndef JIKJI_API_ROUTE_TABLE_H_
#define JIKJI_API_ROUTE_TABLE_H_

#include <memory>
#include <span>
#include <string_view>

#include "api/context.h"
#include "api/reply.h"
#include "govern/tenancy/roles.h"
#include "net/http.h"

namespace jikji {

// What a route asks of governance.
enum class TicketKind {
  kNone,        // nothing: it tells of the server
  kGeneration,  // a ticket for each prompt, spent by Engine::Submit
  kTextTool,    // leave to work on a text: a ticket for no tokens, spent by the answer
};

struct Call {
  std::shared_ptr<const ApiContext> context;
  net::Request request;
  std::string_view rest;  // of the path, where the route ends in `*`; lives as long as `request`
  Reply reply;
  std::shared_ptr<Caller> caller;  // nullptr where no governance is set up
  uint64_t kept = 0;               // the number of its answer, where it is kept (KeptAnswers)

  // Who admits what this call asks for.
  TicketIssuer& issuer() const {
    return caller == nullptr ? context->issuer : static_cast<TicketIssuer&>(*caller);
  }
  // As ApiContext::ResolveModel; a model that is not the caller's is as if it were not there.
  ApiResult<ServedModel> ResolveModel(std::string_view asked) const;
};

struct Route {
  std::string_view method;
  std::string_view path;  // exact, or a start followed by `*`
  TicketKind ticket = TicketKind::kNone;
  Right right = Right::kOperate;  // what the caller's key must give; kNone: no key is asked
  void (*handler)(Call& call) = nullptr;
  bool waits = false;  // for the store: not on a network thread
};

std::span<const Route> Routes();

// What becomes of a request once it is known where it goes: the route, or the error.
struct Routing {
  const Route* route = nullptr;
  size_t rest = 0;    // where the part of the path that `*` stands for begins
  std::string allow;  // methods of the path, where the method is not one of them
};
Routing FindRoute(std::string_view method, std::string_view path);

// Whether the body of a request decides anything: not where there is no such route, or its key is
// nobody's.
bool WantsBody(const ApiContext& context, const net::Request& head);

// Answers one request; never throws. `heavy` runs a job elsewhere, or returns false if it cannot:
// bodies too long for a network thread go there.
void Dispatch(const std::shared_ptr<const ApiContext>& context,
              const std::function<bool(std::function<void()>)>& heavy, net::Request request,
              std::shared_ptr<net::Responder> responder);

}  // namespace jikji

#endif  // JIKJI_API_ROUTE_TABLE_H_
