#include "engine/ticket.h"

namespace jikji {

Ticket TicketIssuer::Make(const AdmissionRequest& granted, std::unique_ptr<Meter> meter) {
  Ticket ticket;
  ticket.tenant_ = granted.tenant;
  ticket.prompt_tokens_ = granted.prompt_tokens;
  ticket.max_output_tokens_ = granted.max_output_tokens;
  ticket.cache_salt_ = granted.cache_salt;
  ticket.priority_ = granted.priority;
  ticket.meter_ = std::move(meter);
  return ticket;
}

std::expected<Ticket, Refusal> LocalPolicy::Admit(const AdmissionRequest& request) {
  if (request.prompt_tokens < 0 || request.max_output_tokens < 0) {
    return Fail(ErrorCode::kInvalidArgument, "token counts of a request cannot be negative");
  }
  return Make(request);
}

}  // namespace jikji
