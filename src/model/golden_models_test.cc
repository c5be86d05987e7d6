#include "model/golden_models.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>

#include "base/file.h"
#include "base/json.h"
#include "model/families/family.h"
#include "model/spec_reader.h"
#include "tensor/checkpoint.h"
#include "tensor/file_layout.h"
#include "tensor/file_writer.h"
#include "tensor/quant/blocks.h"
#include "tensor/safetensors.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

const fs::path kFolder = fs::path(JIKJI_SOURCE_DIR) / "tests/goldens/models";

uint64_t Fnv1a(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

// As make.py's `weights`.
std::vector<float> Weights(uint64_t model_seed, const GoldenTensor& tensor) {
  size_t count = 1;
  for (const int64_t size : tensor.shape) count *= static_cast<size_t>(size);
  const uint64_t seed = Fnv1a(tensor.name) ^ model_seed;
  const float scale = std::ldexp(1.0f, tensor.exponent);
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) {
    uint64_t z = seed + (i + 1) * 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    z ^= z >> 31;
    const float unit = static_cast<float>(static_cast<int64_t>(z >> 40) - (1 << 23)) / (1 << 23);
    values[i] = static_cast<float>(tensor.offset) + unit * scale;
  }
  return values;
}

template <class T>
std::vector<T> Numbers(const json::value& list) {
  std::vector<T> out;
  for (const json::value& item : list.as_array()) out.push_back(item.to_number<T>());
  return out;
}

GgufMetadata Metadata(const json::object& keys) {
  GgufMetadata out;
  for (const auto& [key, value] : keys) {
    if (value.is_string()) {
      out.Insert(std::string(key), std::string(value.get_string()));
    } else if (value.is_bool()) {
      out.Insert(std::string(key), value.get_bool());
    } else if (value.is_int64()) {
      out.Insert(std::string(key), value.get_int64());
    } else if (value.is_double()) {
      out.Insert(std::string(key), value.get_double());
    } else {
      std::vector<bool> flags;
      for (const json::value& item : value.as_array()) flags.push_back(item.as_bool());
      out.Insert(std::string(key), flags);
    }
  }
  return out;
}

struct All {
  std::vector<GoldenModel> models;
  GoldenModel built_in;
};

All ReadAll() {
  All all;
  const auto root = ParseJsonFile((kFolder / "models.json").string());
  const auto file = MappedFile::Open(kFolder / "expected.safetensors");
  EXPECT_TRUE(root && file) << "tests/goldens/models cannot be read";
  if (!root || !file) return all;
  const auto expected = ParseSafetensors(file->bytes(), "expected.safetensors");
  EXPECT_TRUE(expected.has_value());
  std::map<std::string, std::vector<float>> logits;
  for (const TensorView& view : expected->tensors) logits[view.name] = *UnpackTensor(view);

  const auto read = [&](const json::object& entry) {
    GoldenModel model;
    model.name = entry.at("name").as_string();
    model.prompt = Numbers<int32_t>(entry.at("prompt"));
    model.greedy = Numbers<int32_t>(entry.at("greedy"));
    model.gap = entry.at("gap").to_number<double>();
    model.logits = logits[model.name + ".logits"];
    return model;
  };
  for (const json::value& item : root->at("models").as_array()) {
    const json::object& entry = item.as_object();
    GoldenModel model = read(entry);
    model.config = json::serialize(entry.at("config"));
    if (entry.at("gguf").is_object()) model.gguf = Metadata(entry.at("gguf").as_object());
    if (entry.contains("rope_freqs")) model.rope_freqs = Numbers<float>(entry.at("rope_freqs"));
    for (const json::value& tensor_item : entry.at("tensors").as_array()) {
      const json::object& from = tensor_item.as_object();
      GoldenTensor tensor;
      tensor.name = from.at("name").as_string();
      if (from.contains("gguf")) tensor.gguf_name = from.at("gguf").as_string();
      tensor.shape = Numbers<int64_t>(from.at("shape"));
      tensor.exponent = from.at("exponent").to_number<int>();
      tensor.offset = from.at("offset").to_number<int>();
      model.tensors.push_back(std::move(tensor));
    }
    FillWeights(model);
    for (size_t i = 0; i < model.prompt.size(); ++i) model.rows.push_back(static_cast<int32_t>(i));
    all.models.push_back(std::move(model));
  }
  const json::object& built_in = root->at("built_in").as_object();
  all.built_in = read(built_in);
  all.built_in.rows = Numbers<int32_t>(built_in.at("rows"));
  return all;
}

const All& ReadOnce() {
  static const All all = ReadAll();
  return all;
}

Result<> WriteTensors(const fs::path& file, FileLayout layout,
                      const std::vector<std::vector<std::byte>>& data) {
  JIKJI_ASSIGN(TensorFileWriter writer, TensorFileWriter::Create(file, std::move(layout)));
  for (size_t i = 0; i < data.size(); ++i) JIKJI_RETURN_IF_ERROR(writer.Append(i, data[i]));
  return writer.Finish();
}

// Rows as llama.cpp's converter reorders them for rotation in pairs.
std::vector<float> InPairs(const GoldenTensor& tensor, int64_t head_dim) {
  const int64_t rows = tensor.shape[0];
  const int64_t cols = static_cast<int64_t>(tensor.values.size()) / rows;
  std::vector<float> out(tensor.values.size());
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t head = row / head_dim, at = row % head_dim, half = head_dim / 2;
    const int64_t to = head * head_dim + (at < half ? 2 * at : 2 * (at - half) + 1);
    std::copy_n(tensor.values.begin() + row * cols, cols, out.begin() + to * cols);
  }
  return out;
}

}  // namespace

const std::vector<GoldenModel>& GoldenModels() { return ReadOnce().models; }

const GoldenModel& GoldenNamed(std::string_view name) {
  for (const GoldenModel& model : GoldenModels()) {
    if (model.name == name) return model;
  }
  ADD_FAILURE() << "no golden model " << name;
  return GoldenModels().front();
}

const GoldenModel& GoldenBuiltIn() { return ReadOnce().built_in; }

void FillWeights(GoldenModel& model) {
  for (GoldenTensor& tensor : model.tensors) tensor.values = Weights(Fnv1a(model.name), tensor);
}

std::vector<std::byte> PackValues(std::span<const float> values, DType dtype) {
  std::vector<std::byte> bytes;
  VisitBlock(dtype, [&]<class Block>() {
    for (size_t i = 0; i < values.size(); i += Block::kValues) {
      const Block block = Block::Pack(values.data() + i);
      const auto* raw = reinterpret_cast<const std::byte*>(&block);
      bytes.insert(bytes.end(), raw, raw + sizeof block);
    }
  });
  return bytes;
}

TypeOf AllAs(DType dtype) {
  return [dtype](const GoldenTensor&) { return dtype; };
}

TypeOf MatricesAs(DType dtype) {
  return
      [dtype](const GoldenTensor& tensor) { return tensor.shape.size() > 1 ? dtype : DType::kF32; };
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "jikji-model-XXXXXX").string();
  const char* made = mkdtemp(pattern.data());
  EXPECT_NE(made, nullptr);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Result<> WriteFolder(const GoldenModel& model, const fs::path& folder, const TypeOf& type,
                     int shards) {
  JIKJI_RETURN_IF_ERROR(WriteFileAtomic(folder / "config.json", model.config));
  json::object weight_map;
  uint64_t total = 0;
  for (int shard = 0; shard < shards; ++shard) {
    std::vector<TensorSpec> specs;
    std::vector<std::vector<std::byte>> data;
    std::string file = "model.safetensors";
    if (shards > 1) {
      char name[64];
      std::snprintf(name, sizeof name, "model-%05d-of-%05d.safetensors", shard + 1, shards);
      file = name;
    }
    for (size_t i = static_cast<size_t>(shard); i < model.tensors.size();
         i += static_cast<size_t>(shards)) {
      const GoldenTensor& tensor = model.tensors[i];
      specs.push_back({tensor.name, type(tensor), tensor.shape});
      data.push_back(PackValues(tensor.values, type(tensor)));
      weight_map[tensor.name] = file;
      total += data.back().size();
    }
    JIKJI_ASSIGN(FileLayout layout, LayoutSafetensors({{"format", "pt"}}, specs));
    JIKJI_RETURN_IF_ERROR(WriteTensors(folder / file, std::move(layout), data));
  }
  if (shards == 1) return {};
  const json::object index = {{"metadata", {{"total_size", total}}}, {"weight_map", weight_map}};
  return WriteFileAtomic(folder / "model.safetensors.index.json", json::serialize(index));
}

Result<> WriteGguf(const GoldenModel& model, const fs::path& file, const TypeOf& type,
                   const GgufMetadata* keys) {
  JIKJI_ASSIGN(const auto architecture, model.gguf.String("general.architecture"));
  const Family* family = FamilyOfArchitecture(architecture.value_or(""));
  if (family == nullptr) return Fail(ErrorCode::kInvalidArgument, "no such architecture");
  JIKJI_ASSIGN(const auto rotated, model.gguf.Int(*architecture + ".rope.dimension_count"));
  std::vector<TensorSpec> specs;
  std::vector<std::vector<std::byte>> data;
  for (const GoldenTensor& tensor : model.tensors) {
    const bool pairs = family->interleaved_in_gguf && (tensor.gguf_name.contains(".attn_q.") ||
                                                       tensor.gguf_name.contains(".attn_k."));
    specs.push_back({tensor.gguf_name, type(tensor), tensor.shape});
    data.push_back(pairs ? PackValues(InPairs(tensor, rotated.value_or(0)), type(tensor))
                         : PackValues(tensor.values, type(tensor)));
  }
  if (!model.rope_freqs.empty()) {
    specs.push_back(
        {"rope_freqs.weight", DType::kF32, {static_cast<int64_t>(model.rope_freqs.size())}});
    data.push_back(PackValues(model.rope_freqs, DType::kF32));
  }
  JIKJI_ASSIGN(FileLayout layout, LayoutGguf(keys == nullptr ? model.gguf : *keys, specs));
  return WriteTensors(file, std::move(layout), data);
}

Result<std::unique_ptr<Decoder>> LoadDecoder(const fs::path& path) {
  JIKJI_ASSIGN(std::shared_ptr<const Checkpoint> checkpoint, Checkpoint::Open(path));
  if (checkpoint->format() == CheckpointFormat::kGguf) {
    JIKJI_ASSIGN(DecoderSpec spec, SpecFromGguf(*checkpoint));
    return Decoder::Load(checkpoint, std::move(spec));
  }
  const std::string file = (path / "config.json").string();
  JIKJI_ASSIGN(const json::value config, ParseJsonFile(file));
  JIKJI_ASSIGN(DecoderSpec spec, SpecFromConfig(config.as_object(), file));
  return Decoder::Load(checkpoint, std::move(spec));
}

Sequence::Sequence(Decoder& decoder, int32_t capacity, DType dtype)
    : decoder_(decoder), cache_([&] {
        constexpr int32_t kPageTokens = 16;
        const int32_t pages = (capacity + kPageTokens - 1) / kPageTokens;
        auto cache = decoder.MakeCache(pages, kPageTokens, dtype);
        EXPECT_TRUE(cache.has_value());
        return std::move(*cache);
      }()) {
  for (int32_t i = 0; i < cache_.pages(); ++i) pages_.push_back(i);
}

std::vector<float> Sequence::Run(std::span<const int32_t> tokens, std::span<const int32_t> rows) {
  const kernels::AttentionSlice slice = {0, static_cast<int32_t>(tokens.size()), length_, pages_};
  std::vector<float> logits(rows.size() * static_cast<size_t>(decoder_.spec().vocab));
  const auto computed =
      decoder_.Forward({tokens, std::span(&slice, 1), rows}, cache_, logits, pool_);
  EXPECT_TRUE(computed) << computed.error().ToString();
  length_ += slice.tokens;
  return logits;
}

std::vector<int32_t> Sequence::Greedy(std::span<const int32_t> prompt, size_t count) {
  std::vector<int32_t> out;
  const int32_t last = static_cast<int32_t>(prompt.size()) - 1;
  std::vector<float> logits = Run(prompt, std::span(&last, 1));
  const int32_t first = 0;
  while (true) {
    out.push_back(static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin()));
    if (out.size() == count) return out;
    logits = Run(std::span(&out.back(), 1), std::span(&first, 1));
  }
}

double RelativeError(std::span<const float> a, std::span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  double worst = 0, largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    if (std::isnan(a[i])) worst = INFINITY;
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
  }
  return worst / largest;
}

TEST(GoldenModelsTest, EveryModelIsWhole) {
  ASSERT_EQ(GoldenModels().size(), 15u);
  for (const GoldenModel& model : GoldenModels()) {
    EXPECT_EQ(model.prompt.size(), 24u) << model.name;
    EXPECT_EQ(model.greedy.size(), 64u) << model.name;
    EXPECT_EQ(model.logits.size(), 24u * 256u) << model.name;
    // Rounding must not be able to change a greedy token.
    EXPECT_GT(model.gap, 1e-3) << model.name;
  }
}

}  // namespace jikji
