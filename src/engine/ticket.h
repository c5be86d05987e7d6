// The admission ticket: the one thing that lets a request into the engine (promise 2: one door).
//
// A policy issues tickets: govern/'s, or LocalPolicy where one person has the machine. A ticket is
// spent by Engine::Submit, which checks it against the request; while the request lives, the engine
// tells the ticket's meter what it counts, so that no route can generate unmetered.
#ifndef JIKJI_ENGINE_TICKET_H_
#define JIKJI_ENGINE_TICKET_H_

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"

namespace jikji {

// Hears the engine's own count of one request. Destroyed when the request has left the engine, or
// was never taken in: then nothing more will be counted.
class Meter {
 public:
  virtual ~Meter() = default;
  // The prompt is in work, or computed: `prompt_tokens` of it, `cached_tokens` of those found in
  // the cache; and `output_tokens` more were sampled. Called from the engine's thread, before the
  // receiver hears of them; must not block.
  virtual void Count(int64_t prompt_tokens, int64_t cached_tokens, int64_t output_tokens) = 0;
};

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
  Meter* meter() const { return meter_.get(); }   // nullptr where nobody counts

 private:
  friend class TicketIssuer;
  Ticket() = default;
  std::string tenant_;
  int64_t prompt_tokens_ = 0;
  int64_t max_output_tokens_ = 0;
  std::string cache_salt_;
  int32_t priority_ = 0;
  std::unique_ptr<Meter> meter_;
};

// What a policy decides from.
struct AdmissionRequest {
  std::string request = {};  // its id, for records
  std::string tenant;
  std::string model = {};
  int64_t prompt_tokens = 0;
  int64_t max_output_tokens = 0;  // of all choices together
  int32_t choices = 1;
  std::string cache_salt;
  int32_t priority = 0;
};

// Why a policy says no.
struct Refusal : Error {
  Refusal(Error error)  // NOLINT(google-explicit-constructor)
      : Error(std::move(error)) {}
  Refusal(Error error, std::string its_reason, std::optional<int64_t> retry = std::nullopt)
      : Error(std::move(error)), reason(std::move(its_reason)), retry_after(retry) {}

  std::string reason;                  // a word for programs, "rate_limit_exceeded"; may be empty
  std::optional<int64_t> retry_after;  // seconds; none where waiting will not help
};

// The only maker of tickets; a policy derives from it.
class TicketIssuer {
 public:
  virtual ~TicketIssuer() = default;
  virtual std::expected<Ticket, Refusal> Admit(const AdmissionRequest& request) = 0;

 protected:
  static Ticket Make(const AdmissionRequest& granted, std::unique_ptr<Meter> meter = nullptr);
};

// One tenant, no budget: what a laptop needs.
class LocalPolicy : public TicketIssuer {
 public:
  std::expected<Ticket, Refusal> Admit(const AdmissionRequest& request) override;
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_TICKET_H_
