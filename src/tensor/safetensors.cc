#include "tensor/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "tensor/json_events.h"
#include "tensor/quoted.h"

namespace jikji {
namespace {

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the reference reader's cap
constexpr size_t kMaxTensors = 1 << 20;            // ten times what the largest open models have
constexpr size_t kMaxDimensions = 16;

// The format's types. Those without a DType are well formed but not weights that Jikji runs.
struct FileType {
  std::string_view name;
  uint32_t bits;
  std::optional<DType> dtype;
};
constexpr std::array kFileTypes = {
    FileType{"F32", 32, DType::kF32},         FileType{"F16", 16, DType::kF16},
    FileType{"BF16", 16, DType::kBF16},       FileType{"BOOL", 8, std::nullopt},
    FileType{"U8", 8, std::nullopt},          FileType{"I8", 8, std::nullopt},
    FileType{"U16", 16, std::nullopt},        FileType{"I16", 16, std::nullopt},
    FileType{"U32", 32, std::nullopt},        FileType{"I32", 32, std::nullopt},
    FileType{"U64", 64, std::nullopt},        FileType{"I64", 64, std::nullopt},
    FileType{"F64", 64, std::nullopt},        FileType{"C64", 64, std::nullopt},
    FileType{"F4", 4, std::nullopt},          FileType{"F6_E2M3", 6, std::nullopt},
    FileType{"F6_E3M2", 6, std::nullopt},     FileType{"F8_E5M2", 8, std::nullopt},
    FileType{"F8_E4M3", 8, std::nullopt},     FileType{"F8_E8M0", 8, std::nullopt},
    FileType{"F8_E4M3FNUZ", 8, std::nullopt}, FileType{"F8_E5M2FNUZ", 8, std::nullopt},
};

struct Entry {
  std::string name;
  uint64_t key_offset = 0;  // in the header
  const FileType* type = nullptr;
  std::vector<int64_t> shape;
  std::array<uint64_t, 2> range = {0,
                                   0};  // first byte and one past the last, from the data's start
};

class HeaderHandler : public JsonEvents<HeaderHandler> {
 public:
  bool BeginObject() {
    switch (place_) {
      case Place::kDocument:
        place_ = Place::kTop;
        return true;
      case Place::kMetadataObject:
        place_ = Place::kMetadata;
        return true;
      case Place::kTensorObject:
        place_ = Place::kTensor;
        return true;
      default:
        return Unexpected("an object");
    }
  }

  bool EndObject() {
    if (place_ == Place::kTensor && (!has_type_ || !has_shape_ || !has_range_)) {
      return Reject("tensor " + Quoted(entries_.back().name) +
                    " must have `dtype`, `shape` and `data_offsets`");
    }
    place_ = place_ == Place::kTop ? Place::kEnd : Place::kTop;
    return true;
  }

  bool Key(std::string_view key) {
    if (place_ == Place::kTop) return TopKey(key);
    if (place_ == Place::kMetadata) {
      metadata_key_ = key;
      place_ = Place::kMetadataText;
      return true;
    }
    bool& seen = key == "dtype" ? has_type_ : key == "shape" ? has_shape_ : has_range_;
    if (key == "dtype") {
      place_ = Place::kType;
    } else if (key == "shape") {
      place_ = Place::kShape;
    } else if (key == "data_offsets") {
      place_ = Place::kRange;
    } else {
      return Reject("tensor " + Quoted(entries_.back().name) + " has the unknown field " +
                    Quoted(key));
    }
    if (std::exchange(seen, true)) {
      return Reject("tensor " + Quoted(entries_.back().name) + " has " + Quoted(key) + " twice");
    }
    return true;
  }

  bool String(std::string_view text) {
    if (place_ == Place::kMetadataText) {
      place_ = Place::kMetadata;
      if (metadata_.emplace(metadata_key_, text).second) return true;
      return Reject("`__metadata__` has the key " + Quoted(metadata_key_) + " twice");
    }
    if (place_ != Place::kType) return Unexpected("a string");
    for (const FileType& type : kFileTypes) {
      if (type.name == text) entries_.back().type = &type;
    }
    if (entries_.back().type == nullptr) {
      return Reject("tensor " + Quoted(entries_.back().name) + " has the unknown dtype " +
                    Quoted(text));
    }
    place_ = Place::kTensor;
    return true;
  }

  bool BeginArray() {
    if (place_ == Place::kShape) {
      place_ = Place::kShapeItems;
      return true;
    }
    if (place_ != Place::kRange) return Unexpected("an array");
    place_ = Place::kRangeItems;
    range_items_ = 0;
    return true;
  }

  bool EndArray() {
    if (place_ == Place::kRangeItems && range_items_ != 2) return RangeIsTwo();
    place_ = Place::kTensor;
    return true;
  }

  bool Unsigned(uint64_t value) {
    Entry* entry = entries_.empty() ? nullptr : &entries_.back();
    if (place_ == Place::kShapeItems) {
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        return Reject("tensor " + Quoted(entry->name) + " has a dimension over 2^63 - 1");
      }
      if (entry->shape.size() == kMaxDimensions) {
        return Reject("tensor " + Quoted(entry->name) + " has more than " +
                      std::to_string(kMaxDimensions) + " dimensions");
      }
      entry->shape.push_back(static_cast<int64_t>(value));
      return true;
    }
    if (place_ != Place::kRangeItems) return Unexpected("a number");
    if (range_items_ == 2) return RangeIsTwo();
    entry->range[range_items_++] = value;
    return true;
  }

  bool Scalar() { return Unexpected("null, a boolean, or a number that is not a whole one ≥ 0"); }

  std::vector<Entry>& entries() { return entries_; }
  std::map<std::string, std::string>& metadata() { return metadata_; }

 private:
  enum class Place {
    kDocument,  // before the header's object
    kTop,       // in it
    kMetadataObject,
    kMetadata,
    kMetadataText,
    kTensorObject,
    kTensor,
    kType,
    kShape,
    kShapeItems,
    kRange,
    kRangeItems,
    kEnd,
  };

  bool TopKey(std::string_view key) {
    if (key == "__metadata__") {
      place_ = Place::kMetadataObject;
      return !std::exchange(has_metadata_, true) || Reject("the key `__metadata__` comes twice");
    }
    if (entries_.size() == kMaxTensors) {
      return Reject("more than " + std::to_string(kMaxTensors) + " tensors");
    }
    entries_.emplace_back();
    entries_.back().name = key;
    entries_.back().key_offset = key_offset();
    has_type_ = has_shape_ = has_range_ = false;
    place_ = Place::kTensorObject;
    return true;
  }

  bool RangeIsTwo() {
    return Reject("tensor " + Quoted(entries_.back().name) +
                  ": `data_offsets` must be two numbers, the first byte and one past the last");
  }

  bool Unexpected(const char* what) {
    switch (place_) {
      case Place::kDocument:
        return Reject(std::string("the header must be an object, not ") + what);
      case Place::kMetadataObject:
        return Reject(std::string("`__metadata__` must be an object, not ") + what);
      case Place::kMetadata:
      case Place::kMetadataText:
        return Reject("`__metadata__." + metadata_key_ + "` must be a string, not " + what);
      case Place::kTensorObject:
        return Reject("tensor " + Quoted(entries_.back().name) + " must be an object, not " + what);
      case Place::kType:
        return Reject("tensor " + Quoted(entries_.back().name) +
                      ": `dtype` must be a string, not " + what);
      case Place::kShape:
      case Place::kShapeItems:
        return Reject("tensor " + Quoted(entries_.back().name) +
                      ": `shape` must be an array of whole numbers, not " + what);
      default:
        return Reject("tensor " + Quoted(entries_.back().name) +
                      ": `data_offsets` must be an array of whole numbers, not " + what);
    }
  }

  Place place_ = Place::kDocument;
  bool has_metadata_ = false;
  bool has_type_ = false;
  bool has_shape_ = false;
  bool has_range_ = false;
  size_t range_items_ = 0;
  std::string metadata_key_;
  std::map<std::string, std::string> metadata_;
  std::vector<Entry> entries_;
};

std::unexpected<Error> Broken(std::string_view name, uint64_t offset, std::string message) {
  return Fail(ErrorCode::kMalformed, std::move(message),
              std::string(name) + ":" + std::to_string(offset));
}

// Bytes that type and shape ask for; nullopt where they overflow or end within a byte.
std::optional<uint64_t> BytesOf(const Entry& entry) {
  int64_t values = 1;
  for (const int64_t dimension : entry.shape) {
    if (__builtin_mul_overflow(values, dimension, &values)) return std::nullopt;
  }
  uint64_t bits = 0;
  if (__builtin_mul_overflow(static_cast<uint64_t>(values), entry.type->bits, &bits)) {
    return std::nullopt;
  }
  if (bits % 8 != 0) return std::nullopt;
  return bits / 8;
}

// Holds each tensor's size to its shape, and the tensors together to the bytes that there are.
Result<> CheckLayout(const std::vector<Entry>& entries, uint64_t data_bytes,
                     std::string_view name) {
  std::vector<const Entry*> order;
  order.reserve(entries.size());
  for (const Entry& entry : entries) {
    const auto bytes = BytesOf(entry);
    const uint64_t offset = kLengthBytes + entry.key_offset;
    if (!bytes) {
      return Broken(name, offset,
                    "tensor " + Quoted(entry.name) + ": its size in bytes is not a whole number " +
                        "that fits 64 bits");
    }
    const auto [begin, end] = entry.range;
    if (begin > end || end > data_bytes) {
      return Broken(name, offset,
                    "tensor " + Quoted(entry.name) + ": `data_offsets` " + std::to_string(begin) +
                        " to " + std::to_string(end) + " are not a range of the " +
                        std::to_string(data_bytes) + " data bytes of the file");
    }
    if (end - begin != *bytes) {
      return Broken(name, offset,
                    "tensor " + Quoted(entry.name) + ": `data_offsets` give " +
                        std::to_string(end - begin) + " bytes, dtype and shape " +
                        std::to_string(*bytes));
    }
    order.push_back(&entry);
  }
  std::sort(order.begin(), order.end(),
            [](const Entry* a, const Entry* b) { return a->range < b->range; });
  uint64_t reached = 0;
  for (const Entry* entry : order) {
    if (entry->range[0] != reached) {
      return Broken(name, kLengthBytes + entry->key_offset,
                    "tensor " + Quoted(entry->name) + " begins at data byte " +
                        std::to_string(entry->range[0]) + ", but the tensors before it end at " +
                        std::to_string(reached) + ": there must be no hole and no overlap");
    }
    reached = entry->range[1];
  }
  if (reached != data_bytes) {
    return Broken(name, 0,
                  "the tensors end at data byte " + std::to_string(reached) + " of " +
                      std::to_string(data_bytes) + ": the file must end with the last tensor");
  }
  return {};
}

// The header's text without the spaces that pad it.
Result<std::string_view> HeaderText(std::span<const std::byte> file, std::string_view name,
                                    uint64_t* header_bytes) {
  if (file.size() < kLengthBytes) {
    return Broken(name, 0, "not safetensors: shorter than the 8 bytes of a header's length");
  }
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = (length << 8) | static_cast<uint8_t>(file[i]);
  if (length > kMaxHeaderBytes) {
    return Broken(name, 0,
                  "not safetensors: a header of " + std::to_string(length) +
                      " bytes; at most 100000000 are allowed");
  }
  if (length > file.size() - kLengthBytes) {
    return Broken(name, 0,
                  "a header of " + std::to_string(length) + " bytes in a file of " +
                      std::to_string(file.size()) + ": the file is cut short");
  }
  std::string_view text(reinterpret_cast<const char*>(file.data()) + kLengthBytes, length);
  if (!text.starts_with('{')) return Broken(name, kLengthBytes, "the header must begin with `{`");
  text = text.substr(0, text.find_last_not_of(' ') + 1);
  if (!text.ends_with('}')) {
    return Broken(name, kLengthBytes + text.size() - 1,
                  "the header must end with `}`, and nothing but spaces may follow");
  }
  *header_bytes = length;
  return text;
}

}  // namespace

Result<SafetensorsFile> ParseSafetensors(std::span<const std::byte> file, std::string_view name) {
  uint64_t header_bytes = 0;
  JIKJI_ASSIGN(const std::string_view text, HeaderText(file, name, &header_bytes));
  boost::json::basic_parser<HeaderHandler> parser{boost::json::parse_options()};
  JIKJI_RETURN_IF_ERROR(ReadJsonEvents(parser, text, name, kLengthBytes));

  std::vector<Entry> entries = std::move(parser.handler().entries());
  const std::span<const std::byte> data = file.subspan(kLengthBytes + header_bytes);
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.name < b.name; });
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].name == entries[i - 1].name) {
      return Broken(name, kLengthBytes + entries[i].key_offset,
                    "the tensor " + Quoted(entries[i].name) + " comes twice");
    }
  }
  JIKJI_RETURN_IF_ERROR(CheckLayout(entries, data.size(), name));

  SafetensorsFile out;
  out.metadata = std::move(parser.handler().metadata());
  out.tensors.reserve(entries.size());
  for (Entry& entry : entries) {
    if (!entry.type->dtype) {
      return Fail(ErrorCode::kUnsupported,
                  "tensor " + Quoted(entry.name) + " has the type " +
                      std::string(entry.type->name) + "; Jikji runs F32, F16 and BF16",
                  std::string(name) + ":" + std::to_string(kLengthBytes + entry.key_offset));
    }
    out.tensors.push_back({std::move(entry.name), *entry.type->dtype, std::move(entry.shape),
                           data.subspan(entry.range[0], entry.range[1] - entry.range[0])});
  }
  return out;
}

}  // namespace jikji
