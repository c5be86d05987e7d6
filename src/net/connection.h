// One peer's connection: reads requests in order, hands each to the handler, sends its answer.
//
// Lives on the one thread of its loop; nothing here is locked. An idle connection holds no buffers
// and no parser: it waits until its socket is readable and then reads into the loop's own buffer.
// Internal to net/.
#ifndef JIKJI_NET_CONNECTION_H_
#define JIKJI_NET_CONNECTION_H_

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/exchange.h"
#include "net/loop.h"
#include "net/message.h"
#include "net/out_queue.h"

namespace jikji::net {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;

  Connection(std::shared_ptr<Loop> loop, boost::asio::ip::tcp::socket socket,
             boost::asio::ip::tcp::endpoint peer);
  ~Connection();

  // Begins to read.
  void Start();
  // Tells the peer that there are too many connections, and closes.
  void Refuse();

  // The exchange has something to take.
  void OnWake();
  // The server drains: closes unless an answer is under way.
  void OnDrain();
  // Cuts an answer that is under way.
  void CutAnswer();
  // Closes at once, whatever is under way.
  void Close(bool reset);
  // Called now and then: ends what took too long, looks at a slow head. True where it did
  // something.
  bool CheckTime(Clock::time_point now);

  const boost::asio::ip::tcp::endpoint& peer() const { return peer_; }

  size_t index = 0;  // in its loop's list

 private:
  enum class State : uint8_t {
    kIdle,      // between requests
    kHead,      // some of a head has come
    kBody,      // a head has come, its body has not
    kExchange,  // the handler has the request; its answer is not all sent
    kRefusing,  // an error is being sent; the connection ends after it
    kLinger,    // all is sent; waits for the peer to close, so that it can read the end
    kClosed,
  };
  struct Receiving;

  // Runs a step; where memory runs out in it, this connection is lost and the others go on.
  template <class Step>
  void Guard(Step step);
  void WaitReadable();
  void OnReadable();
  // A head that is not whole after kPromptHead: few bytes wake nobody any more (LookAtSlowHead).
  void SlowDown(Clock::time_point now);
  void WakeFor(int bytes);
  // True where it was time to.
  bool LookAtSlowHead(Clock::time_point now);
  void OnPeerGone(bool half_closed);
  bool WantsBytes() const;

  // Takes requests off `data`, as far as they come; keeps the rest in in_.
  void Process(std::string_view data);
  // Goes on with `in_` after the others that are ready.
  void Yield();
  // Each takes what it can off `data`; false where more must come first.
  bool TakeHead(std::string_view& data);
  bool TakeBody(std::string_view& data);
  bool AddBody(std::string_view piece);
  void FailTooLarge();
  void GiveUpBody();
  void Dispatch();
  void Fail(int status, std::string_view message);

  void Pump();
  // True where the answer waits for its peer's turn (PeerFaults); Release sends it.
  bool Hold(Exchange::Taken& taken);
  void Release();
  void SendTaken(Exchange::Taken taken);
  void Flush();
  // True once all of file_ is sent.
  bool FlushFile();
  // Of a source that is no file: its next bytes into out_, to be sent in the next turn.
  void ReadPiece();
  void OnBlocked();
  void OnFlushed();
  void WaitWritable();
  void EndExchange();
  // Goes on with requests that came while an answer was under way.
  void Resume();

  std::shared_ptr<Loop> loop_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::ip::tcp::endpoint peer_;
  std::string in_;  // bytes not yet taken
  OutQueue out_;
  std::optional<FilePart> file_;  // what is still to be sent of it, after out_
  std::unique_ptr<Receiving> receiving_;
  std::shared_ptr<Exchange> exchange_;
  std::unique_ptr<Exchange::Taken> held_;  // an answer that waits until held_until_
  Clock::time_point held_until_{};
  Clock::time_point read_deadline_ = Clock::time_point::max();
  Clock::time_point write_deadline_ = Clock::time_point::max();
  State state_ = State::kIdle;
  bool yielded_ = false;  // goes on with what it has read once others had their turn
  bool reading_ = false;  // a wait is under way
  bool writing_ = false;
  bool keep_alive_ = true;
  bool http11_ = true;
  bool head_only_ = false;
  bool answer_complete_ = false;
  bool peer_closed_ = false;
};

}  // namespace jikji::net

#endif  // JIKJI_NET_CONNECTION_H_
