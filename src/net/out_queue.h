// Bytes waiting to be sent: small pieces are joined, large ones moved, never copied.
// Internal to net/.
#ifndef JIKJI_NET_OUT_QUEUE_H_
#define JIKJI_NET_OUT_QUEUE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace jikji::net {

class OutQueue {
 public:
  bool empty() const { return bytes_ == 0; }
  size_t bytes() const { return bytes_; }

  void Append(std::string piece);
  void AppendCopy(std::string_view text);
  // `piece` as one chunk of the chunked coding; it must not be empty.
  void AppendChunk(std::string piece);
  // Everything of `other`, which is left empty.
  void Splice(OutQueue& other);

  // The pieces still to be sent.
  size_t pieces() const { return pieces_.size() - first_; }
  std::string_view piece(size_t i) const;
  // Takes off `count` bytes that were sent.
  void Consume(size_t count);
  void Clear();

 private:
  std::vector<std::string> pieces_;
  size_t first_ = 0;   // pieces_[0, first_) are sent
  size_t offset_ = 0;  // sent bytes of pieces_[first_]
  size_t bytes_ = 0;
};

}  // namespace jikji::net

#endif  // JIKJI_NET_OUT_QUEUE_H_
