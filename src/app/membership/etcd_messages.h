// Messages of etcd's JSON gateway: bytes in base64, integers as text.
#ifndef JIKJI_APP_MEMBERSHIP_ETCD_MESSAGES_H_
#define JIKJI_APP_MEMBERSHIP_ETCD_MESSAGES_H_

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "app/membership/etcd.h"
#include "base/error.h"

namespace jikji {

std::string EncodeBase64(std::string_view bytes);
// Standard alphabet with padding.
Result<std::string> DecodeBase64(std::string_view text);

// The field that gRPC's JSON writes as text, as it does 64-bit integers; 0 where it is absent.
Result<int64_t> TextInteger(const boost::json::object& message, std::string_view key);

// The key after every one that begins with `prefix`.
std::string PrefixEnd(std::string_view prefix);

// An answer of /v3/kv/range.
Result<Etcd::Listing> ParseListing(const boost::json::object& answer);

// A line of the stream of /v3/watch: true where it tells of a change, or that the watch has ended.
Result<bool> TellsChange(std::string_view line);

}  // namespace jikji

#endif  // JIKJI_APP_MEMBERSHIP_ETCD_MESSAGES_H_
