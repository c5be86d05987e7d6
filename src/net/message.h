// HTTP/1.1 message heads (RFC 9112): the bytes of a head to its meaning, and back.
//
// Strict where leniency lets two servers disagree about where a request ends (request smuggling):
// bare CR or LF, folded lines, space before a colon, two lengths, unknown transfer codings and a
// doubtful Host are errors, which is why Beast's more forgiving parser is not used here. Pure
// functions of bytes: no sockets. Internal to net/.
#ifndef JIKJI_NET_MESSAGE_H_
#define JIKJI_NET_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace jikji::net {

// What the server answers a request it cannot take.
struct WireError {
  int status = 400;
  std::string message;
};

// 8,000 octets is what RFC 9112 (3) asks every server to support in a request line.
inline constexpr size_t kMaxTargetBytes = 8192;
// Real clients send under 40; the bound keeps a head of many tiny fields from costing ten times its
// bytes once parsed.
inline constexpr size_t kMaxFields = 256;

struct RequestHead {
  std::string method;
  std::string path;   // percent-decoded
  std::string query;  // raw
  Headers headers;
  bool http11 = true;
  bool keep_alive = true;
  bool expect_continue = false;
  bool chunked = false;
  uint64_t content_length = 0;  // 0 where chunked
};

struct ResponseHead {
  int status = 0;
  Headers headers;
  bool keep_alive = true;
  bool chunked = false;
  std::optional<uint64_t> content_length;
};

// Where a head that starts at data[0] ends.
struct HeadEnd {
  size_t size = 0;         // of the head with its empty line; 0: not all there yet
  bool malformed = false;  // a line ends with a bare LF
};
// `scanned`: how many bytes an earlier call saw already.
HeadEnd FindHeadEnd(std::string_view data, size_t scanned);

// `head` ends with its empty line.
std::expected<RequestHead, WireError> ParseRequestHead(std::string_view head);
// Errors carry the reason in `message`; `status` means nothing.
std::expected<ResponseHead, WireError> ParseResponseHead(std::string_view head);

// How an answer is sent.
struct AnswerFraming {
  bool http11 = true;
  bool keep_alive = true;
  bool streamed = false;  // chunked, or to the end of the connection for HTTP/1.0
};
// The head of `response`. Fields that could break the message apart (names that are not tokens,
// values with line breaks) and those that frame it are left out.
std::string FormatResponseHead(const Response& response, const AnswerFraming& framing);

// "Not Found"; "Status" for a code without a name.
std::string_view StatusText(int status);

// True where an answer of that status never has a body.
bool IsBodiless(int status);

bool EqualIgnoringCase(std::string_view a, std::string_view b);

}  // namespace jikji::net

#endif  // JIKJI_NET_MESSAGE_H_
