#include "tensor/gguf_values.h"

#include <limits>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "tensor/gguf.h"
#include "tensor/gguf_limits.h"
#include "tensor/gguf_types.h"
#include "tensor/quoted.h"

namespace jikji {
namespace {

constexpr int64_t kMaxBlocks = 512;  // llama.cpp's cap; the deepest open models have 126
constexpr int64_t kByteToken = 6;    // tokenizer.ggml.token_type of a byte token

bool IsHexDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool IsByteToken(std::string_view token) {
  return token.size() == 6 && token.starts_with("<0x") && IsHexDigit(token[3]) &&
         IsHexDigit(token[4]) && token[5] == '>';
}

class ValueReader {
 public:
  explicit ValueReader(GgufReader& reader) : reader_(reader) {}

  Result<std::string> Key() {
    const uint64_t start = reader_.position();
    JIKJI_ASSIGN(const std::string_view key, reader_.ReadString("a key", kMaxGgufKeyBytes));
    if (!IsGgufKey(key)) {
      return reader_.Broken(start, "the key " + Quoted(key) + " is not printable ASCII text");
    }
    JIKJI_RETURN_IF_ERROR(Spend(start, sizeof(std::string) + sizeof(GgufValue) + 2 * key.size()));
    return std::string(key);
  }

  Result<GgufValue> Value(const std::string& key) {
    JIKJI_ASSIGN(const GgufType type, Type(key));
    switch (type) {
      case GgufType::kUint8:
        return Number<uint8_t, uint64_t>();
      case GgufType::kInt8:
        return Number<int8_t, int64_t>();
      case GgufType::kUint16:
        return Number<uint16_t, uint64_t>();
      case GgufType::kInt16:
        return Number<int16_t, int64_t>();
      case GgufType::kUint32:
        return Number<uint32_t, uint64_t>();
      case GgufType::kInt32:
        return Number<int32_t, int64_t>();
      case GgufType::kUint64:
        return Number<uint64_t, uint64_t>();
      case GgufType::kInt64:
        return Number<int64_t, int64_t>();
      case GgufType::kFloat32:
        return Number<float, double>();
      case GgufType::kFloat64:
        return Number<double, double>();
      case GgufType::kBool: {
        JIKJI_ASSIGN(const bool truth, Boolean(key));
        return truth;
      }
      case GgufType::kString:
        return Text(key);
      case GgufType::kArray:
        return Array(key);
    }
    std::unreachable();
  }

 private:
  Result<GgufType> Type(const std::string& key) {
    const uint64_t start = reader_.position();
    JIKJI_ASSIGN(const uint32_t number, reader_.Read<uint32_t>("a value's type"));
    if (number >= kGgufTypes) {
      return reader_.Broken(
          start, "the key " + Quoted(key) + " has the unknown type " + std::to_string(number));
    }
    return static_cast<GgufType>(number);
  }

  template <class Stored, class Wide>
  Result<GgufValue> Number() {
    JIKJI_ASSIGN(const Stored value, reader_.Read<Stored>("a number"));
    return GgufValue(std::in_place_type<Wide>, value);
  }

  Result<bool> Boolean(const std::string& key) {
    const uint64_t start = reader_.position();
    JIKJI_ASSIGN(const uint8_t byte, reader_.Read<uint8_t>("a boolean"));
    if (byte > 1) {
      return reader_.Broken(start, "the key " + Quoted(key) + " has a boolean of " +
                                       std::to_string(byte) + ", neither 0 nor 1");
    }
    return byte == 1;
  }

  Result<GgufValue> Text(const std::string& key) {
    const uint64_t start = reader_.position();
    JIKJI_ASSIGN(const std::string_view text, reader_.ReadString("a string", kMaxGgufStringBytes));
    if (!IsValidUtf8(text)) {
      return reader_.Broken(start, "the string of the key " + Quoted(key) + " is not UTF-8");
    }
    JIKJI_RETURN_IF_ERROR(Spend(start, text.size()));
    return GgufValue(std::in_place_type<std::string>, text);
  }

  Result<GgufValue> Array(const std::string& key) {
    const uint64_t start = reader_.position();
    JIKJI_ASSIGN(const GgufType type, Type(key));
    if (type == GgufType::kArray) {
      return reader_.Broken(start, "the key " + Quoted(key) + " has an array of arrays",
                            ErrorCode::kUnsupported);
    }
    JIKJI_ASSIGN(const uint64_t count, reader_.Read<uint64_t>("an array's length"));
    if (count > kMaxGgufArrayLength) {
      return reader_.Broken(start, "the key " + Quoted(key) + " has an array of " +
                                       std::to_string(count) + " values; at most " +
                                       std::to_string(kMaxGgufArrayLength) + " are allowed");
    }
    if (count > reader_.remaining() / GgufTypeBytes(type)) {
      return reader_.Broken(start, "the key " + Quoted(key) + " has an array of " +
                                       std::to_string(count) + " values, more than the " +
                                       std::to_string(reader_.remaining()) +
                                       " bytes that remain can hold");
    }
    const bool wide = type == GgufType::kString;
    JIKJI_RETURN_IF_ERROR(Spend(start, count * (wide ? sizeof(std::string) : sizeof(int64_t))));
    switch (type) {
      case GgufType::kUint8:
        return Integers<uint8_t>(key, count);
      case GgufType::kInt8:
        return Integers<int8_t>(key, count);
      case GgufType::kUint16:
        return Integers<uint16_t>(key, count);
      case GgufType::kInt16:
        return Integers<int16_t>(key, count);
      case GgufType::kUint32:
        return Integers<uint32_t>(key, count);
      case GgufType::kInt32:
        return Integers<int32_t>(key, count);
      case GgufType::kUint64:
        return Integers<uint64_t>(key, count);
      case GgufType::kInt64:
        return Integers<int64_t>(key, count);
      case GgufType::kFloat32:
        return Floats<float>(count);
      case GgufType::kFloat64:
        return Floats<double>(count);
      case GgufType::kBool:
        return Booleans(key, count);
      case GgufType::kString:
        return Texts(count);
      case GgufType::kArray:
        break;
    }
    std::unreachable();
  }

  template <class Stored>
  Result<GgufValue> Integers(const std::string& key, uint64_t count) {
    std::vector<int64_t> out;
    out.reserve(count);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t start = reader_.position();
      JIKJI_ASSIGN(const Stored value, reader_.Read<Stored>("an array of integers"));
      if (!std::in_range<int64_t>(value)) {
        return reader_.Broken(
            start, "the key " + Quoted(key) + " has an array with a value over " + "2^63 - 1");
      }
      out.push_back(static_cast<int64_t>(value));
    }
    return out;
  }

  template <class Stored>
  Result<GgufValue> Floats(uint64_t count) {
    std::vector<double> out;
    out.reserve(count);
    for (uint64_t i = 0; i < count; ++i) {
      JIKJI_ASSIGN(const Stored value, reader_.Read<Stored>("an array of numbers"));
      out.push_back(value);
    }
    return out;
  }

  Result<GgufValue> Booleans(const std::string& key, uint64_t count) {
    std::vector<bool> out;
    out.reserve(count);
    for (uint64_t i = 0; i < count; ++i) {
      JIKJI_ASSIGN(const bool truth, Boolean(key));
      out.push_back(truth);
    }
    return out;
  }

  Result<GgufValue> Texts(uint64_t count) {
    std::vector<std::string> out;
    out.reserve(count);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t start = reader_.position();
      JIKJI_ASSIGN(const std::string_view text,
                   reader_.ReadString("a string of an array", kMaxGgufStringBytes));
      JIKJI_RETURN_IF_ERROR(Spend(start, text.size()));
      out.emplace_back(text);
    }
    return out;
  }

  // Counts what decoded values take in memory, before it is taken.
  Result<> Spend(uint64_t offset, uint64_t bytes) {
    decoded_ += bytes;
    if (decoded_ <= kMaxGgufDecodedBytes) return {};
    return reader_.Broken(offset,
                          "the key-values take more than " + std::to_string(kMaxGgufDecodedBytes) +
                              " bytes of memory",
                          ErrorCode::kResourceExhausted);
  }

  GgufReader& reader_;
  uint64_t decoded_ = 0;
};

Result<uint64_t> Alignment(const GgufMetadata& metadata, uint64_t offset,
                           const GgufReader& reader) {
  const GgufValue* value = metadata.Find(kGgufAlignmentKey);
  if (value == nullptr) return kGgufDefaultAlignment;
  const uint64_t* alignment = std::get_if<uint64_t>(value);
  if (alignment == nullptr || !IsGgufAlignment(*alignment)) {
    return reader.Broken(offset,
                         "`general.alignment` must be a power of two from 8 to 1048576, unsigned");
  }
  return *alignment;
}

Result<> CheckBlockCounts(const GgufValues& values, const GgufReader& reader) {
  for (const auto& [key, value] : values.metadata.entries()) {
    if (!key.ends_with(".block_count")) continue;
    JIKJI_ASSIGN(const auto blocks, values.metadata.Int(key));
    if (*blocks < 0 || *blocks > kMaxBlocks) {
      return reader.Broken(values.offsets.find(key)->second,
                           Quoted(key) + " is " + std::to_string(*blocks) + "; at most " +
                               std::to_string(kMaxBlocks) + " blocks are allowed");
    }
  }
  return {};
}

Result<> CheckVocabulary(const GgufValues& values, const GgufReader& reader) {
  const GgufMetadata& metadata = values.metadata;
  JIKJI_ASSIGN(const auto* tokens, metadata.Strings("tokenizer.ggml.tokens"));
  JIKJI_ASSIGN(const auto* scores, metadata.Numbers("tokenizer.ggml.scores"));
  JIKJI_ASSIGN(const auto* types, metadata.Ints("tokenizer.ggml.token_type"));
  const size_t count = tokens == nullptr ? 0 : tokens->size();
  const auto same_length = [&](const char* key, const auto* array) -> Result<> {
    if (array == nullptr || array->size() == count) return {};
    return reader.Broken(values.offsets.find(key)->second,
                         Quoted(key) + " has " + std::to_string(array->size()) +
                             " values for a vocabulary of " + std::to_string(count) + " tokens");
  };
  JIKJI_RETURN_IF_ERROR(same_length("tokenizer.ggml.scores", scores));
  JIKJI_RETURN_IF_ERROR(same_length("tokenizer.ggml.token_type", types));
  if (types == nullptr) return {};
  for (size_t i = 0; i < count; ++i) {
    if ((*types)[i] == kByteToken && !IsByteToken((*tokens)[i])) {
      return reader.Broken(values.offsets.find("tokenizer.ggml.tokens")->second,
                           "the byte token " + std::to_string(i) + " is " + Quoted((*tokens)[i]) +
                               ", not `<0x` with two hexadecimal digits and `>`");
    }
  }
  return {};
}

}  // namespace

Result<GgufValues> ReadGgufValues(GgufReader& reader, uint64_t count) {
  GgufValues out;
  ValueReader values(reader);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t start = reader.position();
    JIKJI_ASSIGN(std::string key, values.Key());
    JIKJI_ASSIGN(GgufValue value, values.Value(key));
    if (!out.metadata.Insert(key, std::move(value))) {
      return reader.Broken(start, "the key " + Quoted(key) + " comes twice");
    }
    out.offsets.emplace(std::move(key), start);
  }
  const auto found = out.offsets.find(kGgufAlignmentKey);
  const uint64_t offset = found == out.offsets.end() ? 0 : found->second;
  JIKJI_ASSIGN(out.alignment, Alignment(out.metadata, offset, reader));
  return out;
}

Result<> CheckGgufValues(const GgufValues& values, const GgufReader& reader) {
  auto checked = CheckBlockCounts(values, reader);
  if (checked) checked = CheckVocabulary(values, reader);
  if (checked) return checked;
  // An error about a value's type names its key; the file is where a reader looks for it.
  const auto place = values.offsets.find(checked.error().where);
  if (place == values.offsets.end()) return checked;
  return reader.Broken(place->second, checked.error().message);
}

}  // namespace jikji
