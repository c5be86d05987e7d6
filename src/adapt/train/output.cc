#include "adapt/train/output.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <cstring>
#include <map>
#include <system_error>
#include <vector>

#include "adapt/weights/hf_model.h"
#include "adapt/weights/peft_folder.h"
#include "adapt/weights/weight_plan.h"
#include "base/file.h"
#include "base/json.h"
#include "tensor/file_writer.h"
#include "tensor/quant/blocks.h"

namespace jikji::train {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view kTokenizerFiles[] = {"tokenizer.json",
                                                "tokenizer_config.json",
                                                "special_tokens_map.json",
                                                "added_tokens.json",
                                                "vocab.json",
                                                "merges.txt",
                                                "chat_template.jinja"};

std::unexpected<Error> Failed(const char* doing, const std::error_code& error,
                              const fs::path& path) {
  return Fail(ErrorCode::kIo, fmt::format("cannot {}: {}", doing, error.message()), path.string());
}

// A folder beside its place until everything is in it.
class NewFolder {
 public:
  static Result<NewFolder> Begin(const fs::path& place) {
    NewFolder folder(place);
    std::error_code error;
    fs::remove_all(folder.path_, error);
    if (!error) fs::create_directories(folder.path_, error);
    if (error) return Failed("make the folder", error, folder.path_);
    return folder;
  }
  const fs::path& path() const { return path_; }

  // What was in its place is exchanged for it in one step, so that there always is one of them, and
  // removed.
  Result<> Finish() const {
    std::error_code error;
    if (!fs::exists(place_, error)) {
      fs::rename(path_, place_, error);
    } else if (renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, place_.c_str(), RENAME_EXCHANGE) == 0) {
      fs::remove_all(path_, error);
    } else {  // not every file system can
      const fs::path old = path_.string() + ".old";
      fs::remove_all(old, error);
      fs::rename(place_, old, error);
      if (!error) fs::rename(path_, place_, error);
      if (!error) fs::remove_all(old, error);
    }
    if (error) return Failed("put the folder in its place", error, place_);
    return SyncFolder(fs::absolute(place_, error).parent_path());
  }

 private:
  explicit NewFolder(const fs::path& place) : place_(place), path_(place.string() + ".partial") {}
  fs::path place_, path_;
};

Result<> CopyTokenizer(const fs::path& from, const fs::path& to) {
  for (const std::string_view name : kTokenizerFiles) {
    std::error_code ignored;
    if (!fs::exists(from / name, ignored)) continue;
    JIKJI_ASSIGN(const std::string content, ReadFile(from / name));
    JIKJI_RETURN_IF_ERROR(WriteFileAtomic(to / name, content));
  }
  return {};
}

Result<> AppendAs(DType dtype, std::span<const float> values, size_t tensor,
                  TensorFileWriter& writer) {
  if (dtype == DType::kF32) return writer.Append(tensor, std::as_bytes(values));
  std::vector<std::byte> bytes(values.size() * BlockBytes(dtype));
  VisitBlock(dtype, [&]<class Block>() {
    std::byte* to = bytes.data();
    for (size_t i = 0; i < values.size(); i += Block::kValues, to += sizeof(Block)) {
      const Block block = Block::Pack(&values[i]);
      std::memcpy(to, &block, sizeof block);
    }
  });
  return writer.Append(tensor, bytes);
}

Result<> WriteTensors(const fs::path& file, Parameters& parameters, DType dtype) {
  std::vector<TensorSpec> tensors;
  for (const Parameter& p : parameters.list()) tensors.push_back({p.name, dtype, p.shape});
  JIKJI_ASSIGN(FileLayout layout, LayoutSafetensors({{"format", "pt"}}, tensors));
  JIKJI_ASSIGN(TensorFileWriter writer, TensorFileWriter::Create(file, std::move(layout)));
  for (size_t i = 0; i < tensors.size(); ++i) {
    JIKJI_RETURN_IF_ERROR(AppendAs(dtype, parameters.value(i), i, writer));
  }
  return writer.Finish();
}

// The tensors of `frozen`, with what was trained in its place.
Result<> WriteWithFrozen(const fs::path& file, Parameters& parameters, DType dtype,
                         const Checkpoint& frozen) {
  std::map<std::string, size_t> trained;
  for (const Parameter& p : parameters.list()) trained.emplace(p.name, trained.size());
  std::vector<PlannedTensor> plan;
  for (const TensorView& tensor : frozen.tensors()) {
    PlannedTensor planned{.spec = {tensor.name, dtype, tensor.shape}, .source = tensor};
    if (const auto found = trained.find(tensor.name); found != trained.end()) {
      const Parameter& p = parameters.list()[found->second];
      const int64_t kept = tensor.shape[0] - p.shape[0];
      planned.source.data =
          tensor.data.first(tensor.data.size() / static_cast<uint64_t>(tensor.shape[0]) *
                            static_cast<uint64_t>(kept));
      planned.source.shape[0] = kept;
      planned.tail = {tensor.name, DType::kF32, p.shape,
                      std::as_bytes(parameters.value(found->second))};
    }
    plan.push_back(std::move(planned));
  }
  JIKJI_ASSIGN(FileLayout layout, LayoutSafetensors({{"format", "pt"}}, SpecsOf(plan)));
  JIKJI_ASSIGN(TensorFileWriter writer, TensorFileWriter::Create(file, std::move(layout)));
  ThreadPool pool(UsableCores());
  JIKJI_RETURN_IF_ERROR(WritePlanned(plan, writer, pool));
  return writer.Finish();
}

// The base's config.json, saying the type that the weights now have.
Result<std::string> ConfigFor(const fs::path& base, DType dtype) {
  JIKJI_ASSIGN(json::value config, ParseJsonFile((base / "config.json").string()));
  if (!config.is_object()) {
    return Fail(ErrorCode::kMalformed, "must be a JSON object", (base / "config.json").string());
  }
  json::object& object = config.get_object();
  SetTorchType(object, dtype);
  return json::serialize(config) + "\n";
}

}  // namespace

Result<> WriteModelFolder(const fs::path& folder, const fs::path& base, Parameters& parameters,
                          DType dtype, const Checkpoint* frozen) {
  JIKJI_ASSIGN(const NewFolder made, NewFolder::Begin(folder));
  JIKJI_ASSIGN(const std::string config, ConfigFor(base, dtype));
  JIKJI_RETURN_IF_ERROR(WriteFileAtomic(made.path() / "config.json", config));
  JIKJI_RETURN_IF_ERROR(CopyTokenizer(base, made.path()));
  std::error_code ignored;
  if (fs::exists(base / "generation_config.json", ignored)) {
    JIKJI_ASSIGN(const std::string content, ReadFile(base / "generation_config.json"));
    JIKJI_RETURN_IF_ERROR(WriteFileAtomic(made.path() / "generation_config.json", content));
  }
  const fs::path weights = made.path() / "model.safetensors";
  JIKJI_RETURN_IF_ERROR(frozen == nullptr ? WriteTensors(weights, parameters, dtype)
                                          : WriteWithFrozen(weights, parameters, dtype, *frozen));
  return made.Finish();
}

Result<> WriteAdapterFolder(const fs::path& folder, const fs::path& base, Parameters& parameters,
                            const LoraOptions& lora) {
  const PeftConfig peft{
      .rank = lora.rank, .alpha = lora.alpha, .rank_stabilised = false, .dora = lora.dora};
  const json::object config = PeftConfigJson(peft, lora.targets, base);
  JIKJI_ASSIGN(const NewFolder made, NewFolder::Begin(folder));
  JIKJI_RETURN_IF_ERROR(
      WriteFileAtomic(made.path() / "adapter_config.json", json::serialize(config) + "\n"));
  JIKJI_RETURN_IF_ERROR(CopyTokenizer(base, made.path()));
  JIKJI_RETURN_IF_ERROR(
      WriteTensors(made.path() / "adapter_model.safetensors", parameters, DType::kF32));
  return made.Finish();
}

}  // namespace jikji::train
