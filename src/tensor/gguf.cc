#include "tensor/gguf.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "tensor/gguf_limits.h"
#include "tensor/gguf_reader.h"
#include "tensor/gguf_types.h"
#include "tensor/gguf_values.h"
#include "tensor/quoted.h"

namespace jikji {
namespace {

constexpr uint64_t kMinValueBytes = 8 + 4 + 1;           // key length, type, a byte
constexpr uint64_t kMinTensorBytes = 8 + 4 + 8 + 4 + 8;  // name length, rank, ne, type, offset

struct Header {
  uint32_t version;
  uint64_t tensors;
  uint64_t values;
};

struct TensorInfo {
  uint64_t place;  // of the description, for errors
  uint64_t offset;
  uint64_t bytes;
  TensorView view;
};

uint64_t AlignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

Result<Header> ReadHeader(GgufReader& reader) {
  std::string magic;
  for (size_t i = 0; i < kGgufMagic.size(); ++i) {
    JIKJI_ASSIGN(const char c, reader.Read<char>("the magic number"));
    magic += c;
  }
  if (magic != kGgufMagic) return reader.Broken(0, "not GGUF: the file must begin with `GGUF`");
  Header header;
  JIKJI_ASSIGN(header.version, reader.Read<uint32_t>("the version"));
  if (header.version != 0 && (header.version & 0xFFFF) == 0) {
    return reader.Broken(4, "a big-endian GGUF file; convert it with gguf_convert_endian.py",
                         ErrorCode::kUnsupported);
  }
  if (header.version != 2 && header.version != 3) {
    const bool known = header.version == 1;
    return reader.Broken(
        4, "GGUF version " + std::to_string(header.version) + "; versions 2 and 3 are read",
        known ? ErrorCode::kUnsupported : ErrorCode::kMalformed);
  }
  JIKJI_ASSIGN(header.tensors, reader.Read<uint64_t>("the number of tensors"));
  JIKJI_ASSIGN(header.values, reader.Read<uint64_t>("the number of key-values"));
  if (header.tensors > std::min(kMaxGgufTensors, reader.remaining() / kMinTensorBytes)) {
    return reader.Broken(8, std::to_string(header.tensors) + " tensors in a file of " +
                                std::to_string(reader.position() + reader.remaining()) +
                                " bytes; at most " + std::to_string(kMaxGgufTensors) +
                                ", and no more than fit, are allowed");
  }
  if (header.values > std::min(kMaxGgufValues, reader.remaining() / kMinValueBytes)) {
    return reader.Broken(16, std::to_string(header.values) + " key-values in a file of " +
                                 std::to_string(reader.position() + reader.remaining()) +
                                 " bytes; at most " + std::to_string(kMaxGgufValues) +
                                 ", and no more than fit, are allowed");
  }
  return header;
}

// Reads the dimensions, GGUF's innermost first, into a shape with the outermost first.
Result<std::vector<int64_t>> ReadShape(GgufReader& reader, const std::string& name) {
  const uint64_t start = reader.position();
  JIKJI_ASSIGN(const uint32_t rank, reader.Read<uint32_t>("a tensor's rank"));
  if (rank == 0 || rank > kMaxGgufDimensions) {
    return reader.Broken(start, "tensor " + Quoted(name) + " has " + std::to_string(rank) +
                                    " dimensions; 1 to 4 are allowed");
  }
  std::vector<int64_t> shape(rank);
  unsigned __int128 values = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    const uint64_t place = reader.position();
    JIKJI_ASSIGN(const uint64_t dimension, reader.Read<uint64_t>("a tensor's dimension"));
    constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    if (dimension == 0 || dimension > kMax) {
      return reader.Broken(place, "tensor " + Quoted(name) + " has a dimension of " +
                                      std::to_string(dimension) + "; 1 to 2^63 - 1 are allowed");
    }
    values *= dimension;
    if (values > kMax) {
      return reader.Broken(place, "tensor " + Quoted(name) + " has more than 2^63 - 1 values");
    }
    shape[rank - 1 - i] = static_cast<int64_t>(dimension);
  }
  return shape;
}

Result<DType> ReadType(GgufReader& reader, const std::string& name) {
  const uint64_t start = reader.position();
  JIKJI_ASSIGN(const uint32_t number, reader.Read<uint32_t>("a tensor's type"));
  const auto type = FindGgmlType(number);
  if (!type) {
    return reader.Broken(
        start, "tensor " + Quoted(name) + " has the unknown type " + std::to_string(number));
  }
  if (!type->dtype) {
    return reader.Broken(start,
                         "tensor " + Quoted(name) + " has the type " + std::string(type->name) +
                             "; Jikji runs F32, F16, BF16, Q4_0, Q8_0, Q4_K, Q5_K and Q6_K",
                         ErrorCode::kUnsupported);
  }
  return *type->dtype;
}

Result<TensorInfo> ReadTensor(GgufReader& reader, uint64_t alignment) {
  TensorInfo info;
  info.place = reader.position();
  JIKJI_ASSIGN(const std::string_view name,
               reader.ReadString("a tensor's name", kMaxGgufNameBytes));
  if (!IsGgufName(name)) {
    return reader.Broken(info.place, "the tensor name " + Quoted(name) +
                                         " is empty, not UTF-8, or has control characters");
  }
  info.view.name = name;
  JIKJI_ASSIGN(info.view.shape, ReadShape(reader, info.view.name));
  const uint64_t type_place = reader.position();
  JIKJI_ASSIGN(info.view.dtype, ReadType(reader, info.view.name));
  const auto cols = static_cast<uint64_t>(info.view.cols());
  if (cols % BlockValues(info.view.dtype) != 0) {
    return reader.Broken(type_place, "tensor " + Quoted(name) + " has rows of " +
                                         std::to_string(cols) + " values, not a multiple of the " +
                                         std::to_string(BlockValues(info.view.dtype)) +
                                         " of a block of " +
                                         std::string(DTypeName(info.view.dtype)));
  }
  const auto row_bytes = RowBytes(info.view.dtype, cols);
  const auto bytes = static_cast<unsigned __int128>(row_bytes.value_or(0)) *
                     static_cast<uint64_t>(info.view.rows());
  if (!row_bytes || bytes > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return reader.Broken(info.place, "tensor " + Quoted(name) + " has more than 2^63 - 1 bytes");
  }
  info.bytes = static_cast<uint64_t>(bytes);
  const uint64_t offset_place = reader.position();
  JIKJI_ASSIGN(info.offset, reader.Read<uint64_t>("a tensor's offset"));
  if (info.offset % alignment != 0) {
    return reader.Broken(
        offset_place, "tensor " + Quoted(name) + " lies at offset " + std::to_string(info.offset) +
                          ", not a multiple of the alignment " + std::to_string(alignment));
  }
  return info;
}

// Holds the tensors to one another and to the data section of `data_bytes` that begins at `start`.
Result<> CheckLayout(std::vector<TensorInfo>& tensors, uint64_t data_bytes, uint64_t alignment,
                     const GgufReader& reader) {
  std::sort(tensors.begin(), tensors.end(),
            [](const TensorInfo& a, const TensorInfo& b) { return a.offset < b.offset; });
  uint64_t expected = 0;
  for (const TensorInfo& tensor : tensors) {
    if (tensor.offset != expected) {
      return reader.Broken(tensor.place,
                           "tensor " + Quoted(tensor.view.name) + " lies at offset " +
                               std::to_string(tensor.offset) + ", " +
                               (tensor.offset < expected ? "inside the one before it, which ends"
                                                         : "after a hole: the one before it ends") +
                               " at " + std::to_string(expected) + " with its padding");
    }
    if (tensor.offset > data_bytes || tensor.bytes > data_bytes - tensor.offset) {
      return reader.Broken(tensor.place, "tensor " + Quoted(tensor.view.name) + " of " +
                                             std::to_string(tensor.bytes) + " bytes at offset " +
                                             std::to_string(tensor.offset) +
                                             " ends after the file's " +
                                             std::to_string(data_bytes) + " data bytes");
    }
    expected = AlignUp(tensor.offset + tensor.bytes, alignment);
  }
  return {};
}

}  // namespace

Result<GgufFile> ParseGguf(std::span<const std::byte> file, std::string_view name) {
  GgufReader reader(file, name);
  JIKJI_ASSIGN(const Header header, ReadHeader(reader));
  JIKJI_ASSIGN(GgufValues values, ReadGgufValues(reader, header.values));
  JIKJI_RETURN_IF_ERROR(CheckGgufValues(values, reader));

  std::vector<TensorInfo> tensors;
  for (uint64_t i = 0; i < header.tensors; ++i) {
    JIKJI_ASSIGN(TensorInfo info, ReadTensor(reader, values.alignment));
    tensors.push_back(std::move(info));
  }
  GgufFile out;
  out.version = header.version;
  out.alignment = values.alignment;
  out.metadata = std::move(values.metadata);
  if (tensors.empty()) return out;

  const uint64_t start = AlignUp(reader.position(), values.alignment);
  const std::span<const std::byte> data = file.subspan(std::min<uint64_t>(start, file.size()));
  JIKJI_RETURN_IF_ERROR(CheckLayout(tensors, data.size(), values.alignment, reader));
  std::sort(tensors.begin(), tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
    return std::tie(a.view.name, a.place) < std::tie(b.view.name, b.place);
  });
  for (size_t i = 1; i < tensors.size(); ++i) {
    if (tensors[i].view.name == tensors[i - 1].view.name) {
      return reader.Broken(tensors[i].place,
                           "the tensor " + Quoted(tensors[i].view.name) + " comes twice");
    }
  }
  out.tensors.reserve(tensors.size());
  for (TensorInfo& tensor : tensors) {
    tensor.view.data = data.subspan(tensor.offset, tensor.bytes);
    out.tensors.push_back(std::move(tensor.view));
  }
  return out;
}

}  // namespace jikji
