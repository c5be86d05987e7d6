// The admission ticket: the one thing that lets a request into the engine (promise 2: one door).
//
// govern/ issues tickets; until it stands, LocalPolicy does. A ticket is spent by Engine::Submit,
// which checks it against the request.
#ifndef JIKJI_ENGINE_TICKET_H_
#define JIKJI_ENGINE_TICKET_H_

#include <cstdint>
#include <string>

#include "base/error.h"

namespace jikji {

class Ticket {
 public:
  Ticket(Ticket&&) = default;
  Ticket& operator=(Ticket&&) = default;
  Ticket(const Ticket&) = delete;  // one ticket, one request
  Ticket& operator=(const Ticket&) = delete;

  const std::string& tenant() const { return tenant_; }
  int64_t prompt_tokens() const { return prompt_tokens_; }  // exact
  int64_t max_output_tokens() const {
    return max_output_tokens_;
  }  // of all choices together; clamped by policy
  const std::string& cache_salt() const {
    return cache_salt_;
  }                                               // pages are shared within one salt only
  int32_t priority() const { return priority_; }  // lower first

 private:
  friend class TicketIssuer;
  Ticket() = default;
  std::string tenant_;
  int64_t prompt_tokens_ = 0;
  int64_t max_output_tokens_ = 0;
  std::string cache_salt_;
  int32_t priority_ = 0;
};

// What a policy decides from.
struct AdmissionRequest {
  std::string tenant;
  int64_t prompt_tokens = 0;
  int64_t max_output_tokens = 0;
  std::string cache_salt;
  int32_t priority = 0;
};

// The only maker of tickets; a policy derives from it.
class TicketIssuer {
 public:
  virtual ~TicketIssuer() = default;
  virtual Result<Ticket> Admit(const AdmissionRequest& request) = 0;

 protected:
  static Ticket Make(const AdmissionRequest& granted);
};

// One tenant, no budget: what a laptop needs.
class LocalPolicy : public TicketIssuer {
 public:
  Result<Ticket> Admit(const AdmissionRequest& request) override;
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_TICKET_H_
