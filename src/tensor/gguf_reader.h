// Reads little-endian values one after another from a file's bytes, never past their end.
#ifndef JIKJI_TENSOR_GGUF_READER_H_
#define JIKJI_TENSOR_GGUF_READER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji {

static_assert(std::endian::native == std::endian::little,
              "weights are used in place, and files are little-endian");

class GgufReader {
 public:
  GgufReader(std::span<const std::byte> file, std::string_view name) : file_(file), name_(name) {}

  uint64_t position() const { return position_; }
  uint64_t remaining() const { return file_.size() - position_; }

  template <class T>
  Result<T> Read(const char* what) {
    if (remaining() < sizeof(T)) return Short(what, sizeof(T));
    T value;
    std::memcpy(&value, file_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }

  // A length of 8 bytes, at most `max_bytes`, and that many bytes, in place.
  Result<std::string_view> ReadString(const char* what, uint64_t max_bytes) {
    const uint64_t start = position_;
    JIKJI_ASSIGN(const uint64_t length, Read<uint64_t>(what));
    if (length > max_bytes) {
      return Broken(start, std::string(what) + " of " + std::to_string(length) +
                               " bytes; at most " + std::to_string(max_bytes) + " are allowed");
    }
    if (length > remaining()) return Short(what, length);
    const char* data = reinterpret_cast<const char*>(file_.data()) + position_;
    position_ += length;
    return std::string_view(data, length);
  }

  std::unexpected<Error> Broken(uint64_t offset, std::string message,
                                ErrorCode code = ErrorCode::kMalformed) const {
    return Fail(code, std::move(message), std::string(name_) + ":" + std::to_string(offset));
  }

 private:
  std::unexpected<Error> Short(const char* what, uint64_t wanted) const {
    return Broken(position_, std::string("the file is cut short: ") + what + " needs " +
                                 std::to_string(wanted) + " bytes, and " +
                                 std::to_string(remaining()) + " remain");
  }

  std::span<const std::byte> file_;
  std::string_view name_;
  uint64_t position_ = 0;
};

}  // namespace jikji

#endif  // JIKJI_TENSOR_GGUF_READER_H_
