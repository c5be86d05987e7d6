#include "adapt/train/run_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <map>

#include "base/file.h"
#include "tensor/file_writer.h"
#include "tensor/safetensors.h"

namespace jikji::train {
namespace {

constexpr std::string_view kFormat = "jikji-run-1";
constexpr std::array kParts = {"value", "first_moment", "second_moment"};

std::array<std::span<float>, 3> Parts(Parameters& p) {
  return {p.values(), p.first_moments(), p.second_moments()};
}

std::string TensorName(const char* part, const Parameter& parameter) {
  return fmt::format("{}.{}", part, parameter.name);
}

std::map<std::string, std::string> Metadata(const TrainState& s, const RunIdentity& identity) {
  return {{"format", std::string(kFormat)},        {"step", std::to_string(s.step)},
          {"tokens", std::to_string(s.tokens)},    {"targets", std::to_string(s.targets)},
          {"epoch", std::to_string(s.data.epoch)}, {"next", std::to_string(s.data.next)},
          {"settings", identity.settings},         {"data", identity.data}};
}

class Reader {
 public:
  Reader(const SafetensorsFile& file, std::string where) : file_(file), where_(std::move(where)) {}

  std::string Text(const std::string& key) const {
    const auto found = file_.metadata.find(key);
    return found == file_.metadata.end() ? std::string() : found->second;
  }

  Result<int64_t> Number(const std::string& key) const {
    const std::string text = Text(key);
    int64_t value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0) {
      return Fail(ErrorCode::kMalformed, fmt::format("`{}` is no count: \"{}\"", key, text),
                  where_);
    }
    return value;
  }

  Result<TrainState> State() const {
    TrainState s;
    JIKJI_ASSIGN(s.step, Number("step"));
    JIKJI_ASSIGN(s.tokens, Number("tokens"));
    JIKJI_ASSIGN(s.targets, Number("targets"));
    JIKJI_ASSIGN(s.data.epoch, Number("epoch"));
    JIKJI_ASSIGN(s.data.next, Number("next"));
    return s;
  }

  Result<> Copy(const std::string& name, const Parameter& parameter, std::span<float> to) const {
    const auto found = std::ranges::find(file_.tensors, name, &TensorView::name);
    if (found == file_.tensors.end() || found->dtype != DType::kF32 ||
        found->shape != parameter.shape) {
      return Fail(
          ErrorCode::kInvalidArgument,
          fmt::format("is the checkpoint of another model: it has no `{}` of that shape", name),
          where_);
    }
    std::memcpy(to.data(), found->data.data(), to.size_bytes());
    return {};
  }

 private:
  const SafetensorsFile& file_;
  std::string where_;
};

}  // namespace

Result<> SaveRun(const std::filesystem::path& file, Parameters& parameters, const TrainState& state,
                 const RunIdentity& identity) {
  std::vector<TensorSpec> tensors;
  for (const char* part : kParts) {
    for (const Parameter& p : parameters.list()) {
      tensors.push_back({TensorName(part, p), DType::kF32, p.shape});
    }
  }
  JIKJI_ASSIGN(FileLayout layout, LayoutSafetensors(Metadata(state, identity), tensors));
  JIKJI_ASSIGN(TensorFileWriter writer, TensorFileWriter::Create(file, std::move(layout)));
  size_t next = 0;
  for (const std::span<float> part : Parts(parameters)) {
    for (size_t i = 0; i < parameters.list().size(); ++i) {
      JIKJI_RETURN_IF_ERROR(writer.Append(next++, std::as_bytes(parameters.Of(part, i))));
    }
  }
  return writer.Finish();
}

Result<TrainState> LoadRun(const std::filesystem::path& file, Parameters& parameters,
                           const RunIdentity& identity) {
  JIKJI_ASSIGN(const MappedFile mapped, MappedFile::Open(file));
  JIKJI_ASSIGN(const SafetensorsFile content, ParseSafetensors(mapped.bytes(), file.string()));
  const Reader reader(content, file.string());
  if (reader.Text("format") != kFormat) {
    return Fail(ErrorCode::kMalformed, "is no checkpoint of a run", file.string());
  }
  if (reader.Text("settings") != identity.settings) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("the run began with other settings ({}); now they are ({}). Give the "
                            "same, or another output folder",
                            reader.Text("settings"), identity.settings),
                file.string());
  }
  if (reader.Text("data") != identity.data) {
    return Fail(ErrorCode::kInvalidArgument,
                "the run began with other data; give the same, or another output folder",
                file.string());
  }
  JIKJI_ASSIGN(const TrainState state, reader.State());
  size_t which = 0;
  for (const std::span<float> part : Parts(parameters)) {
    for (size_t i = 0; i < parameters.list().size(); ++i) {
      const Parameter& p = parameters.list()[i];
      JIKJI_RETURN_IF_ERROR(reader.Copy(TensorName(kParts[which], p), p, parameters.Of(part, i)));
    }
    ++which;
  }
  return state;
}

}  // namespace jikji::train
