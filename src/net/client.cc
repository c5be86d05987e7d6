#include "net/client.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "net/chunked.h"
#include "net/connection_pool.h"
#include "net/link.h"
#include "net/message.h"

namespace jikji::net {
namespace {

// A head larger than this is no answer of a server that we would talk to.
constexpr size_t kMaxHeadBytes = 64u << 10;
constexpr size_t kReadBytes = 256u << 10;

bool HasField(const Headers& headers, std::string_view name) {
  return std::ranges::any_of(
      headers, [name](const auto& field) { return EqualIgnoringCase(field.first, name); });
}

Result<std::string> FormatRequest(const ClientRequest& request, const Url& url, bool keep_alive) {
  std::string out = request.method + " " + url.target + " HTTP/1.1\r\n";
  if (!HasField(request.headers, "Host")) out += "Host: " + url.authority + "\r\n";
  for (const auto& [name, value] : request.headers) {
    if (name.find_first_of("\r\n: ") != std::string::npos ||
        value.find_first_of("\r\n") != std::string::npos) {
      return Fail(ErrorCode::kInvalidArgument, "a header holds a line break", name);
    }
    out += name + ": " + value + "\r\n";
  }
  if (request.file) {
    out += "Content-Length: " + std::to_string(request.file->length) + "\r\n";
  } else if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD")) {
    out += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  out += keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
  return out;
}

// One exchange, on a connection of its own or a kept one.
class ClientExchange {
 public:
  using OnData = std::function<bool(std::string_view)>;

  ClientExchange(const ClientRequest& request, const ClientOptions& options)
      : request_(request),
        options_(options),
        limits_{options.timeout, options.deadline, options.cancellation, request.url} {}

  // Sends the request and reads the head of the answer.
  Result<ResponseHead> Begin() {
    JIKJI_ASSIGN(url_, ParseUrl(request_.url));
    const bool keep = options_.pool != nullptr;
    JIKJI_ASSIGN(const std::string head, FormatRequest(request_, url_, keep));
    if (keep) link_ = options_.pool->Take(url_.origin);
    const bool kept = link_.connected();
    auto answer = Ask(head);
    if (kept && !answer && answer.error().code == ErrorCode::kUnavailable && !heard_) {
      // The peer closed it while it was idle, as servers do.
      link_ = {};
      deaf_ = false;
      answer = Ask(head);
    }
    return answer;
  }

  // on_data may be empty: then the body is kept, as it is where the status is not 2xx.
  Result<Response> Finish(ResponseHead answer, const OnData& on_data) {
    Response response = ResponseOf(answer);
    if (options_.on_head) options_.on_head(response);
    bool whole = true;
    if (HasBody(answer)) {
      const bool keeps = !on_data || answer.status / 100 != 2;
      JIKJI_ASSIGN(whole, ReadBody(answer, keeps ? Keep(response.body) : on_data));
    }
    if (whole) GiveBack(answer);
    return response;
  }

  bool HasBody(const ResponseHead& answer) const {
    return request_.method != "HEAD" && !IsBodiless(answer.status);
  }

  Response ResponseOf(const ResponseHead& answer) const {
    Response response;
    response.status = answer.status;
    response.content_type.clear();
    for (const auto& [name, value] : answer.headers) {
      if (EqualIgnoringCase(name, "Content-Type")) response.content_type = value;
    }
    response.headers = answer.headers;
    // Without its body: as long as a GET's would be.
    if (request_.method == "HEAD" && answer.content_length) {
      response.file = {nullptr, 0, *answer.content_length};
    }
    return response;
  }

  // Once all of the answer was read.
  void GiveBack(const ResponseHead& answer) {
    if (options_.pool != nullptr && answer.keep_alive && !deaf_ && unread_.empty()) {
      options_.pool->Keep(url_.origin, std::move(link_));
    }
  }

  // Bytes of a body that has a length.
  Result<> Fill(std::span<char> into) {
    const size_t count = std::min(into.size(), unread_.size());
    std::copy_n(unread_.begin(), count, into.begin());
    unread_.erase(0, count);
    into = into.subspan(count);
    while (!into.empty()) {
      JIKJI_ASSIGN(const size_t received, link_.Receive(into, limits_));
      if (received == 0) return BrokeOff();
      into = into.subspan(received);
    }
    return {};
  }

 private:
  static OnData Keep(std::string& body) {
    return [&body](std::string_view piece) {
      body.append(piece);
      return true;
    };
  }

  Result<ResponseHead> Ask(const std::string& head) {
    if (!link_.connected()) JIKJI_RETURN_IF_ERROR(link_.Connect(url_, limits_));
    if (options_.on_sent) options_.on_sent();
    if (request_.file) {
      JIKJI_RETURN_IF_ERROR(SendAll(head));
      JIKJI_RETURN_IF_ERROR(SendFile(*request_.file));
    } else if (request_.body.size() <= kReadBytes) {
      JIKJI_RETURN_IF_ERROR(SendAll(head + request_.body));  // one packet where it fits one
    } else {
      JIKJI_RETURN_IF_ERROR(SendAll(head));
      JIKJI_RETURN_IF_ERROR(SendAll(request_.body));
    }
    ResponseHead answer;
    do {
      JIKJI_ASSIGN(answer, ReadHead());
    } while (answer.status / 100 == 1);
    return answer;
  }

  Result<> SendAll(std::string_view data) {
    while (!data.empty() && !deaf_) {
      JIKJI_ASSIGN(const size_t count, link_.Send(data, limits_));
      deaf_ = count == 0;
      data.remove_prefix(count);
    }
    return {};
  }

  Result<> SendFile(const FilePart& part) {
    std::vector<char> buffer(std::min<uint64_t>(part.length, kReadBytes));
    for (uint64_t sent = 0; sent < part.length && !deaf_; sent += buffer.size()) {
      buffer.resize(std::min<uint64_t>(buffer.size(), part.length - sent));
      JIKJI_RETURN_IF_ERROR(part.file->Read(part.offset + sent, buffer));
      JIKJI_RETURN_IF_ERROR(SendAll({buffer.data(), buffer.size()}));
    }
    return {};
  }

  // More bytes into unread_; false at the end of the stream.
  Result<bool> More() {
    buffer_.resize(kReadBytes);
    JIKJI_ASSIGN(const size_t count, link_.Receive(buffer_, limits_));
    unread_.append(buffer_.data(), count);
    heard_ |= count > 0;
    return count > 0;
  }

  Result<ResponseHead> ReadHead() {
    size_t scanned = 0;
    for (;;) {
      const HeadEnd end = FindHeadEnd(unread_, scanned);
      if (end.malformed || (end.size == 0 && unread_.size() > kMaxHeadBytes)) {
        return Malformed("the answer is not HTTP/1.1");
      }
      if (end.size > 0) {
        auto head = ParseResponseHead(std::string_view(unread_).substr(0, end.size));
        if (!head) return Malformed(head.error().message);
        unread_.erase(0, end.size);
        return *std::move(head);
      }
      scanned = unread_.size();
      JIKJI_ASSIGN(const bool more, More());
      if (!more) {
        return Fail(ErrorCode::kUnavailable, "the connection was closed without an answer",
                    request_.url);
      }
    }
  }

  // False where on_data stopped it, or only the end of the connection ends it.
  Result<bool> ReadBody(const ResponseHead& head, const OnData& on_data) {
    const uint64_t limit = options_.max_body_bytes;
    if (head.content_length.value_or(0) > limit) return TooLarge();
    // Without a length the body ends with the connection.
    uint64_t left = head.content_length.value_or(std::numeric_limits<uint64_t>::max());
    uint64_t total = 0;
    ChunkDecoder chunks(limit);
    while (left > 0) {
      std::string_view input = unread_;
      while (!input.empty() && left > 0) {
        std::string_view piece = input.substr(0, std::min<uint64_t>(left, input.size()));
        if (head.chunked) {
          const auto status = chunks.Next(input, piece);
          if (status == ChunkDecoder::Status::kMore) break;
          if (status == ChunkDecoder::Status::kDone) {
            unread_ = std::string(input);
            return true;
          }
          if (status == ChunkDecoder::Status::kBad) {
            return Malformed("the answer's chunks are malformed");
          }
          if (status == ChunkDecoder::Status::kTooLarge) return TooLarge();
        } else {
          input.remove_prefix(piece.size());
          left -= piece.size();
          total += piece.size();
          if (total > limit) return TooLarge();
        }
        if (!on_data(piece)) return false;
      }
      unread_ = std::string(input);
      if (left == 0) break;
      if (!head.chunked && left >= kReadBytes) {
        // Straight from the socket to whoever takes it.
        buffer_.resize(kReadBytes);
        JIKJI_ASSIGN(const size_t count, link_.Receive(buffer_, limits_));
        left -= count;
        total += count;
        if (total > limit) return TooLarge();
        if (count > 0 && !on_data({buffer_.data(), count})) return false;
        if (count > 0) continue;
        if (!head.content_length) return false;
        return BrokeOff();
      }
      JIKJI_ASSIGN(const bool more, More());
      if (more) continue;
      if (!head.chunked && !head.content_length) return false;
      return BrokeOff();
    }
    return true;
  }

  std::unexpected<Error> Malformed(std::string why) {
    return Fail(ErrorCode::kMalformed, std::move(why), request_.url);
  }
  std::unexpected<Error> BrokeOff() {
    return Fail(ErrorCode::kUnavailable, "the answer broke off before its end", request_.url);
  }
  std::unexpected<Error> TooLarge() {
    return Fail(ErrorCode::kResourceExhausted,
                "the answer is larger than " + std::to_string(options_.max_body_bytes) + " bytes",
                request_.url);
  }

  const ClientRequest& request_;
  const ClientOptions& options_;
  const WaitLimits limits_;
  Url url_;
  Link link_;
  bool heard_ = false;  // a byte came
  bool deaf_ = false;   // the peer stopped reading
  std::vector<char> buffer_;
  std::string unread_;
};

}  // namespace

Result<Response> FetchStream(const ClientRequest& request,
                             const std::function<bool(std::string_view piece)>& on_data,
                             const ClientOptions& options) {
  ClientExchange exchange(request, options);
  JIKJI_ASSIGN(ResponseHead head, exchange.Begin());
  return exchange.Finish(std::move(head), on_data);
}

Result<Response> Fetch(const ClientRequest& request, const ClientOptions& options) {
  return FetchStream(request, {}, options);
}

struct BodyReader::State {
  State(ClientRequest given, const ClientOptions& options)
      : request(std::move(given)), options(options) {}

  const ClientRequest request;
  const ClientOptions options;
  ClientExchange exchange{request, options};
  ResponseHead head;
  Response response;
  uint64_t left = 0;
};

BodyReader::BodyReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
BodyReader::BodyReader(BodyReader&&) noexcept = default;
BodyReader& BodyReader::operator=(BodyReader&&) noexcept = default;
BodyReader::~BodyReader() = default;

Result<BodyReader> BodyReader::Open(ClientRequest request, const ClientOptions& options) {
  auto state = std::make_unique<State>(std::move(request), options);
  JIKJI_ASSIGN(state->head, state->exchange.Begin());
  const ResponseHead& head = state->head;
  if (head.status / 100 != 2 || !state->exchange.HasBody(head)) {
    JIKJI_ASSIGN(state->response, state->exchange.Finish(head, {}));
    return BodyReader(std::move(state));
  }
  if (!head.content_length) {
    return Fail(ErrorCode::kMalformed, "the answer does not tell its length", state->request.url);
  }
  state->response = state->exchange.ResponseOf(head);
  state->left = *head.content_length;
  if (state->left == 0) state->exchange.GiveBack(head);
  return BodyReader(std::move(state));
}

const Response& BodyReader::response() const { return state_->response; }
uint64_t BodyReader::left() const { return state_->left; }

Result<> BodyReader::Read(std::span<char> into) {
  JIKJI_RETURN_IF_ERROR(state_->exchange.Fill(into));
  state_->left -= into.size();
  if (state_->left == 0) state_->exchange.GiveBack(state_->head);
  return {};
}

}  // namespace jikji::net
