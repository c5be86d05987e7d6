#include <boost/json.hpp>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "tensor/file_layout.h"
#include "tensor/quoted.h"

namespace jikji {
namespace {

constexpr uint64_t kDataAlignment = 64;  // a cache line, and more than any vector load asks for
constexpr size_t kMaxDimensions = 16;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;

Result<> CheckText(std::string_view text) {
  if (IsValidUtf8(text)) return {};
  return Fail(ErrorCode::kInvalidArgument, "the name or text " + Quoted(text) + " is not UTF-8");
}

}  // namespace

Result<FileLayout> LayoutSafetensors(const std::map<std::string, std::string>& metadata,
                                     std::span<const TensorSpec> tensors) {
  boost::json::object root;
  if (!metadata.empty()) {
    boost::json::object entries;
    for (const auto& [key, value] : metadata) {
      JIKJI_RETURN_IF_ERROR(CheckText(key));
      JIKJI_RETURN_IF_ERROR(CheckText(value));
      entries.emplace(key, value);
    }
    root.emplace("__metadata__", std::move(entries));
  }
  FileLayout layout;
  uint64_t reached = 0;
  for (const TensorSpec& tensor : tensors) {
    JIKJI_RETURN_IF_ERROR(CheckText(tensor.name));
    if (IsQuantised(tensor.dtype) || tensor.shape.size() > kMaxDimensions) {
      return Fail(ErrorCode::kInvalidArgument,
                  "tensor " + Quoted(tensor.name) +
                      ": safetensors hold plain types of at most 16 dimensions");
    }
    JIKJI_ASSIGN(const uint64_t bytes, tensor.Bytes());
    layout.places.push_back({reached, bytes});
    if (bytes > std::numeric_limits<int64_t>::max() - reached) {
      return Fail(ErrorCode::kInvalidArgument, "the tensors together have more than 2^63 bytes");
    }
    boost::json::object entry;
    entry.emplace("dtype", DTypeName(tensor.dtype));
    entry.emplace("shape", boost::json::array(tensor.shape.begin(), tensor.shape.end()));
    entry.emplace("data_offsets", boost::json::array({reached, reached + bytes}));
    if (tensor.name == "__metadata__" || !root.emplace(tensor.name, std::move(entry)).second) {
      return Fail(ErrorCode::kInvalidArgument,
                  "two tensors, or none, can be " + Quoted(tensor.name));
    }
    reached += bytes;
  }
  std::string text = boost::json::serialize(root);
  text.append((kDataAlignment - (8 + text.size()) % kDataAlignment) % kDataAlignment, ' ');
  if (text.size() > kMaxHeaderBytes) {
    return Fail(ErrorCode::kInvalidArgument, "a header of over 100,000,000 bytes");
  }
  const uint64_t length = text.size();
  layout.header.append(reinterpret_cast<const char*>(&length), sizeof(length));
  layout.header += text;
  for (FileLayout::Place& place : layout.places) place.offset += layout.header.size();
  layout.file_bytes = layout.header.size() + reached;
  return layout;
}

}  // namespace jikji
