#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "tensor/file_layout.h"
#include "tensor/gguf_limits.h"
#include "tensor/gguf_types.h"
#include "tensor/quoted.h"

namespace jikji {
namespace {

uint64_t AlignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

class HeaderWriter {
 public:
  template <class T>
  void Put(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  void PutString(std::string_view text) {
    Put<uint64_t>(text.size());
    out_.append(text);
  }
  void PutType(GgufType type) { Put(static_cast<uint32_t>(type)); }

  void PutValue(const GgufValue& value) {
    std::visit([&](const auto& held) { PutHeld(held); }, value);
  }

  std::string& out() { return out_; }

 private:
  template <class Narrow, class Wide>
  static bool Fits(const std::vector<Wide>& values) {
    return std::all_of(values.begin(), values.end(), [](Wide v) { return Fits<Narrow>(v); });
  }
  template <class Narrow, class Wide>
  static bool Fits(Wide value) {
    if constexpr (std::is_floating_point_v<Wide>) {
      return std::isnan(value) || static_cast<Wide>(static_cast<Narrow>(value)) == value;
    } else {
      return std::in_range<Narrow>(value);
    }
  }

  // As `Narrow` where nothing is lost, else as it is.
  template <class Narrow, class Wide>
  void PutNumber(GgufType narrow, GgufType wide, Wide value) {
    if (Fits<Narrow>(value)) {
      PutType(narrow);
      Put(static_cast<Narrow>(value));
    } else {
      PutType(wide);
      Put(value);
    }
  }
  template <class Narrow, class Wide>
  void PutNumbers(GgufType narrow, GgufType wide, const std::vector<Wide>& values) {
    const bool fits = Fits<Narrow>(values);
    PutArray(fits ? narrow : wide, values.size());
    for (const Wide value : values) {
      if (fits) {
        Put(static_cast<Narrow>(value));
      } else {
        Put(value);
      }
    }
  }
  void PutArray(GgufType type, size_t length) {
    PutType(GgufType::kArray);
    PutType(type);
    Put<uint64_t>(length);
  }

  void PutHeld(bool value) {
    PutType(GgufType::kBool);
    Put<uint8_t>(value);
  }
  void PutHeld(int64_t value) { PutNumber<int32_t>(GgufType::kInt32, GgufType::kInt64, value); }
  void PutHeld(uint64_t value) { PutNumber<uint32_t>(GgufType::kUint32, GgufType::kUint64, value); }
  void PutHeld(double value) { PutNumber<float>(GgufType::kFloat32, GgufType::kFloat64, value); }
  void PutHeld(const std::string& value) {
    PutType(GgufType::kString);
    PutString(value);
  }
  void PutHeld(const std::vector<bool>& values) {
    PutArray(GgufType::kBool, values.size());
    for (const bool value : values) Put<uint8_t>(value);
  }
  void PutHeld(const std::vector<int64_t>& values) {
    PutNumbers<int32_t>(GgufType::kInt32, GgufType::kInt64, values);
  }
  void PutHeld(const std::vector<double>& values) {
    PutNumbers<float>(GgufType::kFloat32, GgufType::kFloat64, values);
  }
  void PutHeld(const std::vector<std::string>& values) {
    PutArray(GgufType::kString, values.size());
    for (const std::string& value : values) PutString(value);
  }

  std::string out_;
};

Result<> CheckSpec(const TensorSpec& tensor) {
  const bool good = IsGgufName(tensor.name) && !tensor.shape.empty() &&
                    tensor.shape.size() <= kMaxGgufDimensions &&
                    std::all_of(tensor.shape.begin(), tensor.shape.end(),
                                [](int64_t dimension) { return dimension > 0; });
  if (good) return {};
  return Fail(ErrorCode::kInvalidArgument,
              "tensor " + Quoted(tensor.name) +
                  ": GGUF wants a name of 1 to 64 bytes and 1 to 4 dimensions, none of them 0");
}

}  // namespace

Result<FileLayout> LayoutGguf(const GgufMetadata& metadata, std::span<const TensorSpec> tensors) {
  if (metadata.entries().size() > kMaxGgufValues || tensors.size() > kMaxGgufTensors) {
    return Fail(ErrorCode::kInvalidArgument, "too many key-values or tensors for a GGUF file");
  }
  JIKJI_ASSIGN(const auto asked, metadata.Int(kGgufAlignmentKey));
  const auto alignment = static_cast<uint64_t>(asked.value_or(kGgufDefaultAlignment));
  if (!IsGgufAlignment(alignment)) {
    return Fail(ErrorCode::kInvalidArgument,
                "`general.alignment` must be a power of two from 8 to 1048576");
  }
  HeaderWriter header;
  header.out().append(kGgufMagic);
  header.Put(kGgufVersion);
  header.Put<uint64_t>(tensors.size());
  header.Put<uint64_t>(metadata.entries().size());
  for (const auto& [key, value] : metadata.entries()) {
    if (!IsGgufKey(key)) {
      return Fail(ErrorCode::kInvalidArgument,
                  "the key " + Quoted(key) + " is not printable ASCII");
    }
    header.PutString(key);
    header.PutValue(value);
  }
  FileLayout layout;
  std::set<std::string_view> names;
  uint64_t data_bytes = 0;
  for (const TensorSpec& tensor : tensors) {
    JIKJI_RETURN_IF_ERROR(CheckSpec(tensor));
    if (!names.insert(tensor.name).second) {
      return Fail(ErrorCode::kInvalidArgument, "two tensors " + Quoted(tensor.name));
    }
    JIKJI_ASSIGN(const uint64_t bytes, tensor.Bytes());
    layout.places.push_back({data_bytes, bytes});
    header.PutString(tensor.name);
    header.Put(static_cast<uint32_t>(tensor.shape.size()));
    for (auto dimension = tensor.shape.rbegin(); dimension != tensor.shape.rend(); ++dimension) {
      header.Put(static_cast<uint64_t>(*dimension));
    }
    header.Put(GgmlTypeNumber(tensor.dtype));
    header.Put(data_bytes);
    // Both are below 2^63, so the sum does not wrap round.
    data_bytes = AlignUp(data_bytes + bytes, alignment);
    if (data_bytes > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return Fail(ErrorCode::kInvalidArgument, "the tensors together have more than 2^63 bytes");
    }
  }
  layout.header = std::move(header.out());
  layout.header.resize(AlignUp(layout.header.size(), alignment));
  for (FileLayout::Place& place : layout.places) place.offset += layout.header.size();
  layout.file_bytes = layout.header.size() + data_bytes;
  return layout;
}

}  // namespace jikji
