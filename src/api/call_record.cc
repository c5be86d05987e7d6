#include "api/call_record.h"

#include "base/log.h"

namespace jikji {
namespace {

ApiError Unrecorded(const std::string& request_id, const Error& error) {
  Log(LogLevel::kError, request_id + " audit log: " + error.ToString());
  ApiError failed = ErrorOfStatus(
      503, "this call cannot be recorded, so it is not served (감사 로그에 기록할 수 없습니다)");
  failed.code = "audit_unavailable";
  return failed;
}

}  // namespace

CallRecord::CallRecord(const Governor* governor, const Caller* caller, std::string request_id)
    : request_id_(std::move(request_id)) {
  if (governor == nullptr || caller == nullptr) return;
  trail_ = governor->trail();
  tenant_ = caller->audit_tenant();
  key_ = std::to_string(caller->key().id);
}

ApiResult<> CallRecord::Guard(std::string_view side, std::string_view found, bool blocked) const {
  if (trail_ == nullptr) return {};
  const auto written = trail_->Write(tenant_, "guard.found",
                                     {{"request", request_id_},
                                      {"key", key_},
                                      {"side", side},
                                      {"found", found},
                                      {"blocked", blocked ? "yes" : "no"}});
  if (!written) return std::unexpected(Unrecorded(request_id_, written.error()));
  return {};
}

ApiResult<> CallRecord::Repeated() const {
  if (trail_ == nullptr) return {};
  const auto written =
      trail_->Write(tenant_, "answer.repeated", {{"request", request_id_}, {"key", key_}});
  if (!written) return std::unexpected(Unrecorded(request_id_, written.error()));
  return {};
}

// The stop is not to be held up by a log that refuses: what it says of one answer is left out.
void CallRecord::Stopped(std::string_view reason) const {
  if (trail_ == nullptr) return;
  const auto written = trail_->Write(tenant_, "generation.stopped",
                                     {{"request", request_id_}, {"key", key_}, {"reason", reason}});
  if (!written) Log(LogLevel::kError, request_id_ + " audit log: " + written.error().ToString());
}

ApiResult<audit::Position> CallRecord::Generation(std::initializer_list<audit::Trail::Plain> fields,
                                                  std::string_view content) const {
  const auto written = trail_->Write(tenant_, "generation.ended", fields, content);
  if (!written) return std::unexpected(Unrecorded(request_id_, written.error()));
  return *written;
}

}  // namespace jikji
