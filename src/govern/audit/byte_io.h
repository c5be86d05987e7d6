// Little-endian integers and counted bytes: what the audit log's files are made of.
#ifndef JIKJI_GOVERN_AUDIT_BYTE_IO_H_
#define JIKJI_GOVERN_AUDIT_BYTE_IO_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace jikji::audit {

static_assert(std::endian::native == std::endian::little);

template <class T>
void AppendInt(T value, std::string& out) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

// Takes values off the front of a text. Once something was missing, ok() is false and everything
// read is zero or empty.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T Int() {
    T value{};
    const std::string_view taken = Bytes(sizeof(T));
    if (taken.size() == sizeof(T)) std::memcpy(&value, taken.data(), sizeof(T));
    return value;
  }
  std::string_view Bytes(size_t size) {
    if (size > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  template <size_t kSize>
  std::array<uint8_t, kSize> Array() {
    std::array<uint8_t, kSize> out{};
    const std::string_view taken = Bytes(kSize);
    std::copy(taken.begin(), taken.end(), out.begin());
    return out;
  }

  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_BYTE_IO_H_
