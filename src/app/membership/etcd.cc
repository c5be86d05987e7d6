#include "app/membership/etcd.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/membership/etcd_messages.h"
#include "app/membership/node_url.h"
#include "base/json.h"
#include "net/client.h"

namespace jikji {
namespace {

// For one answer; a member that takes longer is as good as away.
constexpr std::chrono::seconds kPatience{3};
// A listing of ten thousand nodes is under 2 MB.
constexpr size_t kMostBytes = 64u << 20;

net::ClientRequest RequestOf(const std::string& endpoint, std::string_view path,
                             const boost::json::object& body) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = endpoint + std::string(path);
  request.headers = {{"Content-Type", "application/json"}};
  request.body = boost::json::serialize(body);
  return request;
}

// What etcd says of an error, which is in "message" or "error".
std::unexpected<Error> Refusal(const net::Response& answer, const std::string& where) {
  std::string why = fmt::format("etcd answered {}", answer.status);
  if (const auto parsed = ParseJson(answer.body); parsed && parsed->is_object()) {
    const auto message = OptionalString(parsed->get_object(), "message");
    if (message && *message) why = **message;
  }
  const ErrorCode code = answer.status == 404 ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
  return Fail(code, std::move(why), where);
}

}  // namespace

Result<Etcd> Etcd::Create(std::vector<std::string> endpoints,
                          const net::Cancellation* cancellation) {
  if (endpoints.empty()) return Fail(ErrorCode::kInvalidArgument, "no etcd endpoint is named");
  for (std::string& endpoint : endpoints) {
    JIKJI_ASSIGN(endpoint, NodeUrl(endpoint));
  }
  return Etcd(std::move(endpoints), cancellation);
}

Result<boost::json::object> Etcd::Call(std::string_view path, const boost::json::object& body) {
  Result<boost::json::object> last = Fail(ErrorCode::kUnavailable, "no etcd endpoint answers");
  for (size_t i = 0; i < endpoints_.size(); ++i, at_ = (at_ + 1) % endpoints_.size()) {
    const std::string& endpoint = endpoints_[at_];
    const auto answer = net::Fetch(
        RequestOf(endpoint, path, body),
        {.timeout = kPatience, .max_body_bytes = kMostBytes, .cancellation = cancellation_});
    if (!answer && answer.error().code == ErrorCode::kCancelled) {
      return std::unexpected(answer.error());
    }
    if (!answer) {
      last = std::unexpected(answer.error());
    } else if (answer->status != 200) {
      last = Refusal(*answer, endpoint);
      // Another member knows no better what is not there.
      if (last.error().code == ErrorCode::kNotFound) return last;
    } else {
      JIKJI_ASSIGN(boost::json::value parsed, ParseJson(answer->body, endpoint));
      if (!parsed.is_object()) {
        return Fail(ErrorCode::kMalformed, "etcd's answer is no object", endpoint);
      }
      return std::move(parsed.get_object());
    }
  }
  return last;
}

Result<Etcd::Lease> Etcd::Grant(std::chrono::seconds ttl) {
  JIKJI_ASSIGN(const auto answer, Call("/v3/lease/grant", {{"TTL", ttl.count()}}));
  Lease lease;
  JIKJI_ASSIGN(lease.id, TextInteger(answer, "ID"));
  JIKJI_ASSIGN(const int64_t seconds, TextInteger(answer, "TTL"));
  lease.ttl = std::chrono::seconds(seconds);
  if (lease.id == 0 || seconds <= 0) {
    return Fail(ErrorCode::kMalformed, "etcd granted no lease", endpoints_[at_]);
  }
  return lease;
}

Result<bool> Etcd::KeepAlive(int64_t lease) {
  JIKJI_ASSIGN(const auto answer, Call("/v3/lease/keepalive", {{"ID", fmt::format("{}", lease)}}));
  JIKJI_ASSIGN(const boost::json::object* result, OptionalObject(answer, "result"));
  if (result == nullptr) {
    return Fail(ErrorCode::kUnavailable, "etcd did not keep the lease", endpoints_[at_]);
  }
  JIKJI_ASSIGN(const int64_t seconds, TextInteger(*result, "TTL"));
  return seconds > 0;
}

Result<> Etcd::Revoke(int64_t lease) {
  const auto answer = Call("/v3/lease/revoke", {{"ID", fmt::format("{}", lease)}});
  // What has ended already is what was wanted.
  if (!answer && answer.error().code != ErrorCode::kNotFound) {
    return std::unexpected(answer.error());
  }
  return {};
}

Result<> Etcd::Put(std::string_view key, std::string_view value, int64_t lease) {
  JIKJI_RETURN_IF_ERROR(Call("/v3/kv/put", {{"key", EncodeBase64(key)},
                                            {"value", EncodeBase64(value)},
                                            {"lease", fmt::format("{}", lease)}}));
  return {};
}

Result<Etcd::Listing> Etcd::List(std::string_view prefix) {
  JIKJI_ASSIGN(const auto answer,
               Call("/v3/kv/range", {{"key", EncodeBase64(prefix)},
                                     {"range_end", EncodeBase64(PrefixEnd(prefix))}}));
  return ParseListing(answer);
}

Result<> Etcd::AwaitChange(std::string_view prefix, int64_t revision,
                           std::chrono::seconds patience) {
  const boost::json::object body = {{"create_request",
                                     {{"key", EncodeBase64(prefix)},
                                      {"range_end", EncodeBase64(PrefixEnd(prefix))},
                                      {"start_revision", fmt::format("{}", revision + 1)}}}};
  std::string unread;
  Result<bool> changed = false;
  const auto on_data = [&](std::string_view piece) {
    unread += piece;
    for (size_t end; (end = unread.find('\n')) != std::string::npos; unread.erase(0, end + 1)) {
      changed = TellsChange(std::string_view(unread).substr(0, end));
      if (!changed || *changed) return false;
    }
    return unread.size() < kMostBytes;
  };
  const auto started = std::chrono::steady_clock::now();
  const auto answer = net::FetchStream(
      RequestOf(endpoints_[at_], "/v3/watch", body), on_data,
      {.timeout = patience, .max_body_bytes = kMostBytes, .cancellation = cancellation_});
  if (!changed) return std::unexpected(changed.error());
  if (*changed) return {};
  if (!answer) {
    const bool waited = std::chrono::steady_clock::now() - started >= patience;
    if (waited && answer.error().code == ErrorCode::kUnavailable) return {};
    return std::unexpected(answer.error());
  }
  if (answer->status != 200) return Refusal(*answer, endpoints_[at_]);
  return Fail(ErrorCode::kUnavailable, "etcd ended the watch", endpoints_[at_]);
}

}  // namespace jikji
