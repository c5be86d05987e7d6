// The state of a simulation on its way to a file or back: each part has one Exchange, which is its
// writing and its reading, so that the two cannot differ.
//
// The file is what the run was asked for, as text, and blocks of at most 1 MiB, each a Zstandard
// frame with its checksum: what was cut, changed, or saved by other settings is an error, and no
// byte is handed out that its block's checksum does not cover. Numbers are as this machine has
// them. Non-goals: state that somebody forged; other versions of the program, which are refused.
#ifndef JIKJI_TWIN_STATE_STREAM_H_
#define JIKJI_TWIN_STATE_STREAM_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "base/huge_array.h"

namespace jikji::twin {

class StateStream {
 public:
  virtual ~StateStream() = default;

  virtual bool reading() const = 0;
  // Writes the bytes, or fills them. After an error zeros are read and nothing is written.
  virtual void Bytes(void* data, size_t size) = 0;

  // Values whose bytes are all there is of them.
  template <class... T>
  void Plain(T&... values) {
    static_assert((std::is_trivially_copyable_v<T> && ...));
    (Bytes(&values, sizeof(values)), ...);
  }

  template <class T>
  void List(std::vector<T>& list) {
    static_assert(std::is_trivially_copyable_v<T> && !std::is_same_v<T, bool>);
    uint64_t left = list.size();
    Plain(left);
    if (!reading()) return Bytes(list.data(), list.size() * sizeof(T));
    // Grown by what comes, not by what is announced.
    list.clear();
    while (left > 0 && !failed()) {
      const auto part = static_cast<size_t>(std::min<uint64_t>(left, kPart / sizeof(T) + 1));
      list.resize(list.size() + part);
      Bytes(list.data() + list.size() - part, part * sizeof(T));
      left -= part;
    }
  }

  template <class T>
  void List(std::deque<T>& list) {
    std::vector<T> copy(list.begin(), list.end());
    List(copy);
    if (reading()) list.assign(copy.begin(), copy.end());
  }

  // A table of as many entries as at saving. Parts that are zero take a byte, and stay untouched.
  template <class T>
  void Table(HugeArray<T>& table) {
    auto* bytes = reinterpret_cast<std::byte*>(table.data());
    const size_t size = table.size() * sizeof(T);
    for (size_t begin = 0; begin < size && !failed(); begin += kPart) {
      const size_t part = std::min(kPart, size - begin);
      bool used = !reading() && std::any_of(bytes + begin, bytes + begin + part,
                                            [](std::byte each) { return each != std::byte{0}; });
      Plain(used);
      if (used) Bytes(bytes + begin, part);
    }
  }

 protected:
  virtual bool failed() const = 0;

 private:
  static constexpr size_t kPart = 64 << 10;
};

class StateWriter : public StateStream {
 public:
  // `settings`: a line each. The file appears under its name, whole and synced, with Finish, and
  // not before; a writer that is destroyed unfinished leaves nothing.
  static Result<std::unique_ptr<StateWriter>> Create(const std::filesystem::path& path,
                                                     std::string_view settings);
  virtual Result<> Finish() = 0;
};

class StateReader : public StateStream {
 public:
  // An error names the first line in which the settings of the file differ from these.
  static Result<std::unique_ptr<StateReader>> Open(const std::filesystem::path& path,
                                                   std::string_view settings);
  // An error where the file broke, or has more than was read.
  virtual Result<> Finish() = 0;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_STATE_STREAM_H_
