#include "tensor/shard_index.h"

#include <algorithm>
#include <utility>

#include "tensor/json_events.h"
#include "tensor/quoted.h"

namespace jikji {
namespace {

bool IsPlainFileName(std::string_view name) {
  constexpr std::string_view kSuffix = ".safetensors";
  if (name.size() <= kSuffix.size() || name.size() > 255 || !name.ends_with(kSuffix)) return false;
  if (name.starts_with('.')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7F && c != '/' && c != '\\';
  });
}

class IndexHandler : public JsonEvents<IndexHandler> {
 public:
  bool BeginObject() {
    if (depth_ == 1 && wants_map_) {
      in_map_ = true;
    } else if (!Skipping() && depth_ > 0) {
      return Unexpected("an object");
    }
    ++depth_;
    return true;
  }

  bool EndObject() {
    --depth_;
    if (depth_ == 1) in_map_ = wants_map_ = false;
    return true;
  }

  bool Key(std::string_view key) {
    if (in_map_) {
      tensor_ = key;
      return true;
    }
    if (depth_ != 1) return true;
    wants_map_ = key == "weight_map";
    if (wants_map_ && std::exchange(has_map_, true)) {
      return Reject("the key `weight_map` comes twice");
    }
    return true;
  }

  bool String(std::string_view text) {
    if (Skipping()) return true;
    if (!in_map_) return Unexpected("a string");
    if (!IsPlainFileName(text)) {
      return Reject("tensor " + Quoted(tensor_) + " is said to be in " + Quoted(text) +
                    ": it must be the plain name of a .safetensors file in the same folder");
    }
    pairs_.emplace_back(tensor_, text);
    return true;
  }

  bool BeginArray() {
    if (!Skipping()) return Unexpected("an array");
    ++depth_;
    return true;
  }

  bool EndArray() {
    --depth_;
    return true;
  }

  bool Unsigned(uint64_t) { return Skipping() || Unexpected("a number"); }
  bool Scalar() { return Skipping() || Unexpected("null, a boolean or a number"); }

  bool has_map() const { return has_map_; }
  std::vector<std::pair<std::string, std::string>>& pairs() { return pairs_; }

 private:
  bool Skipping() const { return depth_ > 0 && !wants_map_; }

  bool Unexpected(const char* what) {
    if (depth_ == 0) return Reject(std::string("the index must be an object, not ") + what);
    if (!in_map_) return Reject(std::string("`weight_map` must be an object, not ") + what);
    return Reject("`weight_map` gives " + Quoted(tensor_) + " " + what +
                  "; it must be a file name");
  }

  int depth_ = 0;
  bool has_map_ = false;
  bool wants_map_ = false;  // the value of `weight_map` comes next, or is being read
  bool in_map_ = false;
  std::string tensor_;
  std::vector<std::pair<std::string, std::string>> pairs_;  // tensor, file
};

}  // namespace

Result<ShardIndex> ParseShardIndex(std::string_view text, std::string_view name) {
  boost::json::basic_parser<IndexHandler> parser{boost::json::parse_options()};
  JIKJI_RETURN_IF_ERROR(ReadJsonEvents(parser, text, name, 0));
  if (!parser.handler().has_map()) {
    return Fail(ErrorCode::kMalformed, "no `weight_map`", std::string(name));
  }
  auto& pairs = parser.handler().pairs();
  std::sort(pairs.begin(), pairs.end());
  for (size_t i = 1; i < pairs.size(); ++i) {
    if (pairs[i].first == pairs[i - 1].first) {
      return Fail(ErrorCode::kMalformed,
                  "`weight_map` has the tensor " + Quoted(pairs[i].first) + " twice",
                  std::string(name));
    }
  }
  if (pairs.empty()) return Fail(ErrorCode::kMalformed, "`weight_map` is empty", std::string(name));
  ShardIndex index;
  for (auto& [tensor, file] : pairs) index[file].push_back(std::move(tensor));
  return index;
}

}  // namespace jikji
