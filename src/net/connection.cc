#include "net/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <cerrno>
#include <exception>
#include <limits>
#include <optional>
#include <utility>

#include "base/log.h"
#include "net/chunked.h"

namespace jikji::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

// What a peer may send ahead of the answer it waits for; past it TCP holds the peer back.
constexpr size_t kReadAhead = 16u << 10;
// Entries of one gathered write: 16 joined pieces are 256 KiB, more than a socket takes at once.
constexpr size_t kGather = 16;
// How long a peer may take to close after our last byte. Closing first, with bytes of its unread,
// would reset the connection and may destroy the answer on its way.
constexpr std::chrono::seconds kLingerTime{2};
// A head whose first bytes are older than this when more come is a slow one.
constexpr std::chrono::milliseconds kPromptHead{100};
// What must have come of a slow head to wake this thread: the end of a real one mostly does.
constexpr int kSlowPiece = 512;
// Pipelined requests that one connection has answered before others have their turn.
constexpr int kRequestsInTurn = 2;
constexpr int kUnauthorized = 401;
// What one connection sends of a file before others have their turn.
constexpr uint64_t kFileTurn = 2u << 20;
// The same of a source that is no file: it may be computed, so it is less.
constexpr uint64_t kPieceBytes = 256u << 10;

std::string TextOf(const tcp::endpoint& peer) {
  const std::string address = peer.address().to_string();
  return (peer.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(peer.port());
}

bool WouldBlock(error_code error) {
  return error == asio::error::would_block || error == asio::error::try_again;
}

}  // namespace

struct Connection::Receiving {
  RequestHead head;  // how the body is framed; the rest has moved to `request`
  Request request;
  size_t scanned = 0;                                    // bytes of the head searched for its end
  Clock::time_point began;                               // when its first byte was read
  Clock::time_point look_at = Clock::time_point::max();  // where the head is slow
  uint64_t received = 0;                                 // bytes of the body
  uint64_t limit = 0;                                    // of the body
  ChunkDecoder chunks{0};
};

Connection::Connection(std::shared_ptr<Loop> loop, tcp::socket socket, tcp::endpoint peer)
    : loop_(std::move(loop)), socket_(std::move(socket)), peer_(std::move(peer)) {}

Connection::~Connection() = default;

void Connection::Start() {
  read_deadline_ = Clock::now() + loop_->server().options.idle_timeout;
  WaitReadable();
}

void Connection::Refuse() { Fail(503, "too many connections"); }

template <class Step>
void Connection::Guard(Step step) {
  try {
    step();
  } catch (const std::exception& error) {
    Log(LogLevel::kError, std::string("a connection is given up: ") + error.what());
    Close(/*reset=*/true);
  }
}

void Connection::WaitReadable() {
  if (reading_ || !WantsBytes()) return;
  reading_ = true;
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
    self->reading_ = false;
    if (!error) self->Guard([&self] { self->OnReadable(); });
  });
}

bool Connection::WantsBytes() const {
  if (yielded_) return false;
  switch (state_) {
    case State::kIdle:
    case State::kHead:
    case State::kBody:
    case State::kLinger:
      return true;
    case State::kExchange:
      return !peer_closed_ && in_.size() < kReadAhead;
    case State::kRefusing:
    case State::kClosed:
      return false;
  }
  return false;
}

void Connection::OnReadable() {
  // A few reads at most before others have their turn.
  for (int turn = 0; turn < 4 && WantsBytes(); ++turn) {
    std::vector<char>& scratch = loop_->scratch();
    error_code error;
    const size_t room = state_ == State::kExchange ? kReadAhead - in_.size() : scratch.size();
    const size_t count = socket_.read_some(asio::buffer(scratch, room), error);
    if (WouldBlock(error)) break;
    if (error) return OnPeerGone(error == asio::error::eof);
    const std::string_view data(scratch.data(), count);
    if (state_ == State::kExchange) {
      in_.append(data);
    } else if (state_ != State::kLinger) {
      Process(data);
    }
    if (count < room) break;  // Most likely all there was.
  }
  WaitReadable();
}

void Connection::OnPeerGone(bool half_closed) {
  // A peer that sent its end while we send the last of its answer may still be reading.
  if (half_closed && state_ == State::kExchange && answer_complete_) {
    peer_closed_ = true;
    return;
  }
  Close(/*reset=*/false);
}

void Connection::Process(std::string_view data) {
  std::string kept;
  if (!in_.empty()) {
    kept = std::move(in_);
    in_.clear();
    kept.append(data);
    data = kept;
  }
  bool going = true;
  for (int answered = 0; going && !data.empty();) {
    if (state_ == State::kIdle && answered++ == kRequestsInTurn) {
      Yield();
      break;
    }
    switch (state_) {
      case State::kIdle:
      case State::kHead:
        going = TakeHead(data);
        break;
      case State::kBody:
        going = TakeBody(data);
        break;
      default:
        going = false;
    }
  }
  if (state_ == State::kClosed || state_ == State::kLinger || state_ == State::kRefusing) return;
  if (data.empty()) return;
  if (data.size() == kept.size()) {
    in_ = std::move(kept);
  } else {
    in_.assign(data);
  }
}

void Connection::Yield() {
  yielded_ = true;
  asio::post(loop_->io(), [self = shared_from_this()] {
    self->yielded_ = false;
    self->Guard([&self] { self->Resume(); });
  });
}

bool Connection::TakeHead(std::string_view& data) {
  const ServerOptions& options = loop_->server().options;
  if (state_ == State::kIdle) {
    // Empty lines before a request are passed over (RFC 9112, 2.2); the idle time keeps running.
    while (data.starts_with("\r\n")) data.remove_prefix(2);
    if (data.empty() || data == "\r") return false;
    state_ = State::kHead;
    http11_ = true;
    head_only_ = false;
    receiving_ = std::make_unique<Receiving>();
    receiving_->began = Clock::now();
    read_deadline_ = receiving_->began + options.header_timeout;
  }
  Receiving& receiving = *receiving_;
  const HeadEnd end = FindHeadEnd(data.substr(0, options.max_header_bytes), receiving.scanned);
  if (end.malformed) {
    Fail(400, "a line of the request ends without a carriage return");
    return false;
  }
  if (end.size == 0) {
    if (data.size() >= options.max_header_bytes) {
      const bool one_line = data.find('\n') == std::string_view::npos;
      Fail(one_line ? 414 : 431, one_line ? "the request line is too long"
                                          : "the headers are larger than this server takes");
      return false;
    }
    receiving.scanned = data.size();
    SlowDown(Clock::now());
    return false;
  }
  if (receiving.look_at != Clock::time_point::max()) WakeFor(1);
  auto head = ParseRequestHead(data.substr(0, end.size));
  if (!head) {
    Fail(head.error().status, head.error().message);
    return false;
  }
  data.remove_prefix(end.size);
  receiving.head = *std::move(head);
  receiving.request.method = std::move(receiving.head.method);
  receiving.request.path = std::move(receiving.head.path);
  receiving.request.query = std::move(receiving.head.query);
  receiving.request.headers = std::move(receiving.head.headers);
  receiving.request.peer = TextOf(peer_);
  http11_ = receiving.head.http11;
  keep_alive_ = receiving.head.keep_alive;
  head_only_ = receiving.request.method == "HEAD";
  const bool has_body = receiving.head.content_length > 0 || receiving.head.chunked;
  if (has_body && options.body_sink) receiving.request.sink = options.body_sink(receiving.request);
  receiving.limit = receiving.request.sink != nullptr ? std::numeric_limits<uint64_t>::max()
                    : options.body_limit              ? options.body_limit(receiving.request)
                                                      : options.max_body_bytes;
  const bool all_here = !receiving.head.chunked && data.size() >= receiving.head.content_length;
  if (has_body && !all_here && receiving.request.sink == nullptr && options.wants_body &&
      !options.wants_body(receiving.request)) {
    keep_alive_ = false;
    Dispatch();
    return false;
  }
  receiving.chunks = ChunkDecoder(receiving.limit);
  if (receiving.head.content_length > receiving.limit) {
    FailTooLarge();
    return false;
  }
  if (loop_->server().gate.closed()) {
    Fail(503, "the server is shutting down");
    return false;
  }
  if (!has_body) {
    Dispatch();
    return true;
  }
  state_ = State::kBody;
  read_deadline_ = Clock::now() + options.body_timeout;
  if (receiving.head.expect_continue && data.empty()) {
    out_.AppendCopy("HTTP/1.1 100 Continue\r\n\r\n");
    Flush();
  }
  return state_ == State::kBody;
}

void Connection::SlowDown(Clock::time_point now) {
  const auto age = now - receiving_->began;
  if (age < kPromptHead) return;
  if (receiving_->look_at == Clock::time_point::max()) WakeFor(kSlowPiece);
  receiving_->look_at = now + age;
}

void Connection::WakeFor(int bytes) {
  error_code ignored;  // then every byte wakes, as ever
  socket_.set_option(asio::socket_base::receive_low_watermark(bytes), ignored);
}

bool Connection::LookAtSlowHead(Clock::time_point now) {
  if (state_ != State::kHead || now < std::min(receiving_->look_at, read_deadline_)) return false;
  receiving_->look_at = now + (now - receiving_->began);
  Guard([this] { OnReadable(); });
  return true;
}

bool Connection::TakeBody(std::string_view& data) {
  if (!receiving_->head.chunked) {
    const uint64_t missing = receiving_->head.content_length - receiving_->received;
    const std::string_view piece = data.substr(0, std::min<uint64_t>(missing, data.size()));
    data.remove_prefix(piece.size());
    if (!AddBody(piece)) return false;
    if (piece.size() == missing) Dispatch();
    return true;
  }
  for (;;) {
    std::string_view piece;
    switch (receiving_->chunks.Next(data, piece)) {
      case ChunkDecoder::Status::kMore:
        return false;
      case ChunkDecoder::Status::kPiece:
        if (!AddBody(piece)) return false;
        break;
      case ChunkDecoder::Status::kDone:
        Dispatch();
        return true;
      case ChunkDecoder::Status::kBad:
        Fail(400, "the chunked body is malformed");
        return false;
      case ChunkDecoder::Status::kTooLarge:
        FailTooLarge();
        return false;
    }
  }
}

void Connection::FailTooLarge() {
  Fail(413, "the body is larger than the " + std::to_string(receiving_->limit) +
                " bytes that this server takes");
}

bool Connection::AddBody(std::string_view piece) {
  ServerState& server = loop_->server();
  receiving_->received += piece.size();
  if (BodySink* const sink = receiving_->request.sink.get()) {
    read_deadline_ = Clock::now() + server.options.body_timeout;
    if (sink->Write(piece)) return true;
    keep_alive_ = false;  // what is left of the body is not read
    Dispatch();
    return false;
  }
  const size_t before = server.body_bytes.fetch_add(piece.size(), std::memory_order_relaxed);
  if (before + piece.size() > server.options.max_total_body_bytes) {
    server.body_bytes.fetch_sub(piece.size(), std::memory_order_relaxed);
    Fail(503, "the server is receiving too many large requests; try again later");
    return false;
  }
  receiving_->request.body.append(piece);
  return true;
}

// The body, as far as it came, counts no more.
void Connection::GiveUpBody() {
  if (!receiving_) return;
  loop_->server().body_bytes.fetch_sub(receiving_->request.body.size(), std::memory_order_relaxed);
  receiving_.reset();
}

void Connection::Dispatch() {
  ServerState& server = loop_->server();
  server.body_bytes.fetch_sub(receiving_->request.body.size(), std::memory_order_relaxed);
  Request request = std::move(receiving_->request);
  receiving_.reset();
  if (!server.gate.Enter()) return Fail(503, "the server is shutting down");
  state_ = State::kExchange;
  read_deadline_ = Clock::time_point::max();
  answer_complete_ = false;
  exchange_ = std::make_shared<Exchange>(
      Exchange::Options{.http11 = http11_,
                        .head_only = head_only_,
                        .max_unsent_bytes = server.options.max_unsent_bytes},
      loop_);
  exchange_->connection = this;
  try {
    server.handler(std::move(request), MakeResponder(exchange_));
  } catch (const std::exception& thrown) {
    Log(LogLevel::kError, std::string("a request handler threw: ") + thrown.what());
    exchange_->Abandon();
  } catch (...) {
    Log(LogLevel::kError, "a request handler threw something that is no exception");
    exchange_->Abandon();
  }
  Pump();
}

void Connection::Fail(int status, std::string_view message) {
  GiveUpBody();
  in_ = {};
  state_ = State::kRefusing;
  keep_alive_ = false;
  read_deadline_ = Clock::time_point::max();
  const Response response = loop_->server().ErrorResponse(status, message);
  out_.Append(FormatResponseHead(response, {.http11 = http11_, .keep_alive = false}));
  if (!head_only_) out_.Append(response.body);
  Flush();
}

void Connection::OnWake() {
  const auto self = shared_from_this();
  Guard([this] {
    Pump();
    Resume();
  });
}

void Connection::Pump() {
  Exchange::Taken taken = exchange_->Take();
  if (taken.cut) return Close(/*reset=*/true);
  if (taken.failed) taken.head = loop_->server().ErrorResponse(500, "the server could not answer");
  if (taken.head && taken.head->status == kUnauthorized && Hold(taken)) return;
  SendTaken(std::move(taken));
}

bool Connection::Hold(Exchange::Taken& taken) {
  if (loop_->server().gate.closed()) return false;
  const auto now = Clock::now();
  const auto wait = loop_->server().faults.Add(peer_.address(), now);
  if (wait <= Clock::duration::zero()) return false;
  held_until_ = now + wait;
  held_ = std::make_unique<Exchange::Taken>(std::move(taken));
  return true;
}

void Connection::Release() {
  const std::unique_ptr<Exchange::Taken> taken = std::move(held_);
  Guard([&] {
    SendTaken(std::move(*taken));
    Resume();
  });
}

void Connection::SendTaken(Exchange::Taken taken) {
  if (taken.head) {
    if (loop_->server().gate.closed()) keep_alive_ = false;
    for (const auto& [name, value] : taken.head->headers) {
      if (EqualIgnoringCase(name, "Connection") && EqualIgnoringCase(value, "close")) {
        keep_alive_ = false;
      }
    }
    if (taken.streamed && !http11_) keep_alive_ = false;
    out_.Append(FormatResponseHead(
        *taken.head, {.http11 = http11_, .keep_alive = keep_alive_, .streamed = taken.streamed}));
    if (!taken.streamed && !head_only_ && !IsBodiless(taken.head->status)) {
      if (taken.head->file) {
        file_ = std::move(taken.head->file);
      } else {
        out_.Append(std::move(taken.head->body));
      }
    }
  }
  out_.Splice(taken.body);
  answer_complete_ |= taken.complete;
  Flush();
}

void Connection::Flush() {
  while (!out_.empty()) {
    std::array<asio::const_buffer, kGather> buffers;
    for (size_t i = 0; i < std::min(kGather, out_.pieces()); ++i) {
      const std::string_view piece = out_.piece(i);
      buffers[i] = asio::const_buffer(piece.data(), piece.size());
    }
    error_code error;
    const size_t count = socket_.write_some(buffers, error);
    if (WouldBlock(error)) return OnBlocked();
    if (error) return Close(/*reset=*/false);
    out_.Consume(count);
    write_deadline_ = Clock::time_point::max();
  }
  if (file_ && !FlushFile()) return;
  if (exchange_) exchange_->SetUnsent(0);
  OnFlushed();
}

void Connection::OnBlocked() {
  if (write_deadline_ == Clock::time_point::max()) {
    write_deadline_ = Clock::now() + loop_->server().options.write_timeout;
  }
  if (exchange_) exchange_->SetUnsent(out_.bytes());
  WaitWritable();
}

bool Connection::FlushFile() {
  uint64_t turn = kFileTurn;
  while (file_->length > 0) {
    if (turn == 0) {
      WaitWritable();
      return false;
    }
    if (file_->file->descriptor() < 0) {
      ReadPiece();
      return false;
    }
    auto offset = static_cast<off_t>(file_->offset);
    const ssize_t count = sendfile(socket_.native_handle(), file_->file->descriptor(), &offset,
                                   std::min(file_->length, turn));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      OnBlocked();
      return false;
    }
    if (count <= 0) {  // The file was cut short, or the peer is gone: no end must be seen.
      Close(/*reset=*/true);
      return false;
    }
    file_->offset += static_cast<uint64_t>(count);
    file_->length -= static_cast<uint64_t>(count);
    turn -= static_cast<uint64_t>(count);
    write_deadline_ = Clock::time_point::max();
  }
  file_.reset();
  return true;
}

void Connection::ReadPiece() {
  std::string piece(std::min(file_->length, kPieceBytes), '\0');
  if (const auto read = file_->file->Read(file_->offset, piece); !read) {
    // No end must be seen; the peer cannot be told any more why.
    Log(LogLevel::kError, "cannot send the rest of an answer: " + read.error().ToString());
    return Close(/*reset=*/true);
  }
  file_->offset += piece.size();
  file_->length -= piece.size();
  out_.Append(std::move(piece));
  WaitWritable();
}

void Connection::WaitWritable() {
  if (writing_) return;
  writing_ = true;
  socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](error_code error) {
    self->writing_ = false;
    if (error || self->state_ == State::kClosed) return;
    self->Guard([&self] {
      self->Flush();
      self->Resume();
    });
  });
}

void Connection::OnFlushed() {
  if (state_ == State::kExchange && answer_complete_) {
    EndExchange();
    if (keep_alive_ && !peer_closed_ && !loop_->server().gate.closed()) {
      state_ = State::kIdle;
      read_deadline_ = Clock::now() + loop_->server().options.idle_timeout;
      return;
    }
  } else if (state_ != State::kRefusing) {
    return;
  }
  if (peer_closed_) return Close(/*reset=*/false);
  in_ = {};
  state_ = State::kLinger;
  read_deadline_ = Clock::now() + kLingerTime;
  error_code error;
  socket_.shutdown(tcp::socket::shutdown_send, error);
  WaitReadable();
}

void Connection::EndExchange() {
  exchange_->connection = nullptr;
  exchange_->PeerGone();
  exchange_.reset();
  loop_->server().gate.Leave();
}

void Connection::Resume() {
  if (state_ == State::kIdle && !in_.empty() && !yielded_) Process({});
  WaitReadable();
}

void Connection::OnDrain() {
  switch (state_) {
    case State::kIdle:
      return Close(/*reset=*/false);
    case State::kHead:
    case State::kBody:
      return Fail(503, "the server is shutting down");
    default:
      if (held_ != nullptr) Release();
  }
}

void Connection::CutAnswer() {
  if (state_ == State::kExchange) Close(/*reset=*/true);
}

void Connection::Close(bool reset) {
  if (state_ == State::kClosed) return;
  const auto self = shared_from_this();
  state_ = State::kClosed;
  held_.reset();
  GiveUpBody();
  error_code error;
  if (reset) socket_.set_option(asio::socket_base::linger(true, 0), error);
  socket_.close(error);
  if (exchange_) EndExchange();
  loop_->Remove(*this);
}

bool Connection::CheckTime(Clock::time_point now) {
  if (now >= write_deadline_) {
    Close(/*reset=*/true);
    return true;
  }
  if (held_ != nullptr && now >= held_until_) {
    Release();
    return true;
  }
  if (state_ == State::kExchange && !reading_ && !peer_closed_) {
    // The read-ahead is full, so the peer's end cannot be read; the kernel knows it.
    tcp_info info{};
    socklen_t size = sizeof info;
    if (getsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
        info.tcpi_state != TCP_ESTABLISHED) {
      OnPeerGone(/*half_closed=*/info.tcpi_state == TCP_CLOSE_WAIT);
      return true;
    }
  }
  const bool looked = LookAtSlowHead(now);  // a head that came in time is not refused
  if (now < read_deadline_) return looked;
  switch (state_) {
    case State::kHead:
      Fail(408, "the headers took too long to come");
      break;
    case State::kBody:
      Fail(408, "the body took too long to come");
      break;
    default:
      Close(/*reset=*/false);
  }
  return true;
}

}  // namespace jikji::net
