// Any bytes as an HTTP request, an answer and an event stream: an error with its status or a
// message, and the same events however the bytes are split.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "net/chunked.h"
#include "net/client.h"
#include "net/message.h"

namespace {

using jikji::net::ChunkDecoder;

struct Decoded {
  ChunkDecoder::Status status;
  std::string body;
  bool operator==(const Decoded&) const = default;
};

Decoded DecodeChunks(std::string_view text, size_t step, uint64_t limit) {
  ChunkDecoder decoder(limit);
  Decoded decoded{ChunkDecoder::Status::kMore, {}};
  while (!text.empty()) {
    std::string_view input = text.substr(0, step);
    text.remove_prefix(input.size());
    std::string_view piece;
    while ((decoded.status = decoder.Next(input, piece)) == ChunkDecoder::Status::kPiece) {
      decoded.body += piece;
    }
    if (decoded.status != ChunkDecoder::Status::kMore) break;
  }
  if (decoded.body.size() > limit) std::abort();
  return decoded;
}

std::vector<std::string> Events(std::string_view text, size_t step) {
  jikji::net::SseParser parser;
  std::vector<std::string> events;
  for (; !text.empty(); text.remove_prefix(std::min(step, text.size()))) {
    parser.Feed(text.substr(0, step), [&](std::string_view data) { events.emplace_back(data); });
  }
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const jikji::net::HeadEnd end = jikji::net::FindHeadEnd(text, 0);
  if (end.size > size) std::abort();
  std::string_view body = text;
  if (end.size > 0) {
    const std::string_view head = text.substr(0, end.size);
    body.remove_prefix(end.size);
    if (const auto request = jikji::net::ParseRequestHead(head)) {
      const std::string& path = request->path;
      if (path != "*" && !path.starts_with('/')) std::abort();
      if (path.find('\0') != std::string::npos) std::abort();
      if (request->chunked && request->content_length != 0) std::abort();
    } else if (request.error().status < 400 || request.error().message.empty()) {
      std::abort();
    }
    (void)jikji::net::ParseResponseHead(head);
  }
  if (DecodeChunks(body, 1, 1000) != DecodeChunks(body, size + 1, 1000)) std::abort();
  if (Events(text, 1) != Events(text, size + 1)) std::abort();
  return 0;
}
