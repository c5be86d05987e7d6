// Names of requests: X-Request-Id, echoed so that a client's log and ours can be laid side by side.
#ifndef JIKJI_API_REQUEST_ID_H_
#define JIKJI_API_REQUEST_ID_H_

#include <string>
#include <string_view>

namespace jikji {

// 128 random bits in hexadecimal.
std::string RandomId();

// True for 1 to 128 printable ASCII characters: what may stand in a header and a log line.
bool IsUsableRequestId(std::string_view id);

// What the client sent, if it is usable; else a new one.
std::string ResolveRequestId(std::string_view header);

}  // namespace jikji

#endif  // JIKJI_API_REQUEST_ID_H_
