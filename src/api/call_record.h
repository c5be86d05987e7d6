// What the audit log is told of one call, beside its admission.
//
// Contract: what cannot be recorded is an error of the call (promise 3). Without an audit log all
// of it does nothing.
#ifndef JIKJI_API_CALL_RECORD_H_
#define JIKJI_API_CALL_RECORD_H_

#include <initializer_list>
#include <string>
#include <string_view>

#include "api/api_error.h"
#include "govern/audit/trail.h"
#include "govern/governor.h"

namespace jikji {

class CallRecord {
 public:
  explicit CallRecord(std::string request_id) : request_id_(std::move(request_id)) {}
  // `caller` may be nullptr, where no governance is set up.
  CallRecord(const Governor* governor, const Caller* caller, std::string request_id);

  const std::string& request_id() const { return request_id_; }
  bool is_kept() const { return trail_ != nullptr; }

  // What the privacy guard found on one side of the call, by kind and count.
  ApiResult<> Guard(std::string_view side, std::string_view found, bool blocked) const;

  // An earlier answer is given again, without an admission.
  ApiResult<> Repeated() const;

  // The answer was ended by an emergency stop.
  void Stopped(std::string_view reason) const;

  // The answer is complete. `content`: what is sealed under the tenant's key.
  ApiResult<audit::Position> Generation(std::initializer_list<audit::Trail::Plain> fields,
                                        std::string_view content) const;

 private:
  audit::Trail* trail_ = nullptr;
  std::string request_id_;
  std::string tenant_;
  std::string key_;
};

}  // namespace jikji

#endif  // JIKJI_API_CALL_RECORD_H_
