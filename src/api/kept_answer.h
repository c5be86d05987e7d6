// One answer that is given to all who ask for it: those who wait get it as it comes, later ones as
// it was. Thread-safe.
#ifndef JIKJI_API_KEPT_ANSWER_H_
#define JIKJI_API_KEPT_ANSWER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/http.h"
#include "store/digest.h"

namespace jikji {

class KeptAnswer : public std::enable_shared_from_this<KeptAnswer> {
 public:
  KeptAnswer(const Digest& digest, int64_t begun_at, size_t most_bytes)
      : digest_(digest), begun_at_(begun_at), most_bytes_(most_bytes) {}

  const Digest& digest() const { return digest_; }
  int64_t begun_at() const { return begun_at_; }  // steady microseconds

  // `repeat`: it asked again. False: the answer is not kept any more.
  bool Join(std::shared_ptr<net::Responder> responder, bool repeat);

  // As net::Responder. Write is false once nobody waits for it and it is too long to be kept.
  void Send(net::Response response);
  void Begin(net::Response head);
  bool Write(std::string chunk);
  void End();
  // Nobody will say more: who waits sees a broken answer.
  void Break();

  // Bytes that are kept of it.
  size_t bytes() const;
  // From here on it cannot be repeated.
  void Drop();
  bool dropped() const;

 private:
  struct Listener {
    std::shared_ptr<net::Responder> responder;
    bool repeat = false;
  };
  net::Response HeadFor(bool repeat) const;
  void Leave(const net::Responder* responder);

  const Digest digest_;
  const int64_t begun_at_;
  const size_t most_bytes_;
  mutable std::mutex mutex_;
  net::Response head_;  // with the body, where it was not streamed
  std::string stream_;
  bool begun_ = false, streamed_ = false, ended_ = false, dropped_ = false;
  std::vector<Listener> listeners_;
};

}  // namespace jikji

#endif  // JIKJI_API_KEPT_ANSWER_H_
