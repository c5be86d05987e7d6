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
  return {{"format", std::string(kFormat)},
          {"step", std::to_string(s.step)},
          {"tokens", std::to_string(s.tokens)},
          {"targets", std::to_string(s.targets)},
          {"epoch", std::to_string(s.data.epoch)},
          {"next", std::to_string(s.data.next)},
          {"settings", identity.settings},
          {"data", identity.data},
          {"base", identity.base}};
}

// "lr=0.1 base=as it is" to its parts: a word without `=` goes on with the value before it.
std::map<std::string, std::string> SettingsOf(std::string_view line) {
  std::map<std::string, std::string> out;
  std::string* value = nullptr;
  while (!line.empty()) {
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), word.size() + 1));
    if (const size_t sign = word.find('='); sign != word.npos) {
      value = &(out[std::string(word.substr(0, sign))] = word.substr(sign + 1));
    } else if (value != nullptr) {
      *value += ' ';
      *value += word;
    }
  }
  return out;
}

// What of two lines differs, by the flags' names where they are others.
std::string Differences(std::string_view was, std::string_view is) {
  static const std::map<std::string, std::string> kFlags = {
      {"rank", "lora-rank"},    {"alpha", "lora-alpha"}, {"base", "base-type"},
      {"old", "old-vocab"},     {"lr", "learning-rate"}, {"rows", "batch-tokens"},
      {"decay", "weight-decay"}};
  const auto before = SettingsOf(was), now = SettingsOf(is);
  std::string out;
  for (const auto& [key, value] : now) {
    const auto old = before.find(key);
    if (old != before.end() && old->second == value) continue;
    const auto flag = kFlags.find(key);
    out += fmt::format("{}{} was {} and is {}", out.empty() ? "" : ", ",
                       flag == kFlags.end() ? key : flag->second,
                       old == before.end() ? "not there" : old->second, value);
  }
  return out;
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
  const auto other = [&](std::string what) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("the run began with {}; give the same, or another output folder", what),
                file.string());
  };
  if (const std::string base = reader.Text("base"); !base.empty() && base != identity.base) {
    return other("another model, or its weights have changed");
  }
  if (reader.Text("data") != identity.data) return other("other data");
  if (const std::string was = reader.Text("settings"); was != identity.settings) {
    return other("other settings (" + Differences(was, identity.settings) + ")");
  }
  if (content.tensors.size() != kParts.size() * parameters.list().size()) {
    return other(fmt::format("other matrices: {} tensors were trained, and now {}",
                             content.tensors.size() / kParts.size(), parameters.list().size()));
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
