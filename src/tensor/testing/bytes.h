// Builds weights files byte by byte in tests: what no writer would write.
#ifndef JIKJI_TENSOR_TESTING_BYTES_H_
#define JIKJI_TENSOR_TESTING_BYTES_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/file_layout.h"
#include "tensor/tensor.h"

namespace jikji::testing {

// A copy of `text` in a block of exactly its size, so that the address sanitizer sees one byte too
// many.
class ExactBytes {
 public:
  explicit ExactBytes(std::string_view text)
      : size_(text.size()), data_(new std::byte[text.size()]) {
    if (!text.empty()) std::memcpy(data_.get(), text.data(), text.size());
  }
  std::span<const std::byte> span() const { return {data_.get(), size_}; }

 private:
  size_t size_;
  std::unique_ptr<std::byte[]> data_;
};

inline bool LiesWithin(const TensorView& tensor, std::span<const std::byte> file) {
  const std::less_equal<const std::byte*> before;
  return before(file.data(), tensor.data.data()) &&
         before(tensor.data.data() + tensor.data.size(), file.data() + file.size());
}

// A GGUF file's header, field by field.
class GgufBytes {
 public:
  GgufBytes(uint64_t tensors, uint64_t values) {
    bytes_ = "GGUF";
    Put<uint32_t>(3).Put(tensors).Put(values);
  }

  template <class T>
  GgufBytes& Put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    return *this;
  }
  GgufBytes& Text(std::string_view text) {
    Put<uint64_t>(text.size());
    bytes_ += text;
    return *this;
  }
  // The head of a key-value; the value comes next.
  GgufBytes& Key(std::string_view key, uint32_t type) { return Text(key).Put(type); }
  GgufBytes& Array(std::string_view key, uint32_t type, uint64_t length) {
    return Key(key, 9).Put(type).Put(length);
  }
  GgufBytes& Texts(std::string_view key, const std::vector<std::string>& texts) {
    Array(key, 8, texts.size());
    for (const std::string& text : texts) Text(text);
    return *this;
  }
  GgufBytes& Ints(std::string_view key, const std::vector<int32_t>& values) {
    Array(key, 5, values.size());
    for (const int32_t value : values) Put(value);
    return *this;
  }
  // `dimensions` innermost first, as the file has them.
  GgufBytes& Tensor(std::string_view name, const std::vector<uint64_t>& dimensions, uint32_t type,
                    uint64_t offset) {
    Text(name).Put(static_cast<uint32_t>(dimensions.size()));
    for (const uint64_t dimension : dimensions) Put(dimension);
    return Put(type).Put(offset);
  }
  // Pads to `alignment`, then adds `bytes` bytes of data.
  GgufBytes& Data(size_t bytes, size_t alignment = 32) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment);
    bytes_.append(bytes, '\x11');
    return *this;
  }

  size_t size() const { return bytes_.size(); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// A safetensors file: the header's length, the header, `data_bytes` bytes of data.
inline std::string SafetensorsBytes(std::string_view header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string out(reinterpret_cast<const char*>(&length), sizeof(length));
  out += header;
  out.append(data_bytes, '\x11');
  return out;
}

// A laid-out file with each tensor's data in its place.
inline std::string Fill(const FileLayout& layout, const std::vector<std::string>& data) {
  std::string out = layout.header;
  out.resize(layout.file_bytes);
  for (size_t i = 0; i < data.size(); ++i) {
    EXPECT_EQ(data[i].size(), layout.places[i].bytes);
    std::memcpy(out.data() + layout.places[i].offset, data[i].data(), data[i].size());
  }
  return out;
}

}  // namespace jikji::testing

#endif  // JIKJI_TENSOR_TESTING_BYTES_H_
