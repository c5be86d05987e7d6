#include "twin/serving_points.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "twin/csv.h"

namespace jikji::twin {
namespace {

// Of the labels, those that are of the configuration itself.
constexpr size_t kConfigurationLabels = 5;

class Reader {
 public:
  Reader(const CsvReader& csv, std::string where) : csv_(csv), where_(std::move(where)) {}

  std::string Text(std::string_view name) {
    const auto column = csv_.Column(name);
    if (!column) return Note(column.error()), std::string();
    return std::string(csv_.Field(*column));
  }
  // At least `least`; that too where the field is empty or smaller.
  double Number(std::string_view name, double least) {
    const auto column = csv_.Column(name);
    if (!column) return Note(column.error()), least;
    if (csv_.Field(*column).empty()) return least;
    const auto value = csv_.Number(*column);
    if (!value) return Note(value.error()), least;
    return std::max(least, *value);
  }
  Result<> Done() const {
    if (error_.message.empty()) return {};
    return std::unexpected(error_);
  }

 private:
  void Note(const Error& error) {
    if (error_.message.empty()) error_ = error;
  }
  const CsvReader& csv_;
  std::string where_;
  Error error_;
};

struct Worker {
  std::array<double, 5> spread;
  double gpus;
};

Worker WorkerOf(Reader& reader, const std::string& part) {
  Worker worker{};
  constexpr std::array kFields = {"tp_size", "pp_size", "attention_dp_size", "moe_tp_size",
                                  "moe_ep_size"};
  for (size_t i = 0; i < kFields.size(); ++i) {
    worker.spread[i] = reader.Number(part + kFields[i], 1);
  }
  const auto& s = worker.spread;
  worker.gpus = std::max(s[0] * s[1] * s[2], s[3] * s[4]);
  return worker;
}

std::string Joined(const Worker& worker) {
  std::string text;
  for (const double value : worker.spread) text += fmt::format("/{:g}", value);
  return text;
}

// "…; silicon_concurrency=128; …", or the batch size.
double ConcurrencyOf(Reader& reader, const std::string& source) {
  constexpr std::string_view kKey = "concurrency=";
  const size_t at = source.find(kKey);
  if (at == std::string::npos) return reader.Number("batch_size", 0);
  double value = 0;
  std::from_chars(source.data() + at + kKey.size(), source.data() + source.size(), value);
  return value;
}

}  // namespace

Result<std::vector<SiliconPoint>> ParseSiliconPoints(std::string_view text, std::string where) {
  JIKJI_ASSIGN(CsvReader csv, CsvReader::Open(text, where));
  std::vector<SiliconPoint> points;
  for (;;) {
    JIKJI_ASSIGN(const bool more, csv.Next());
    if (!more) break;
    Reader reader(csv, where);
    SiliconPoint point;
    const std::string source = reader.Text("silicon_data_source");
    point.labels = {reader.Text("model_path"),     reader.Text("system"),
                    reader.Text("precision"),      reader.Text("backend"),
                    reader.Text("mode"),           source.substr(0, source.find(';')),
                    reader.Text("backend_version")};
    // A source that is nothing but its concurrency says no more than that.
    std::string& origin = point.labels[kConfigurationLabels];
    if (origin.find("concurrency=") != std::string::npos) origin.clear();
    point.concurrency = ConcurrencyOf(reader, source);
    point.prompt_tokens = reader.Number("isl", 1);
    point.output_tokens = reader.Number("osl", 1);
    point.ttft_s = reader.Number("silicon_ttft_ms", 1e-6) / 1000;
    point.tpot_s = reader.Number("silicon_tpot_ms", 1e-6) / 1000;
    const bool apart = point.labels[4] == "disagg";
    const Worker prefill = WorkerOf(reader, apart ? "prefill_" : "");
    const Worker decode = apart ? WorkerOf(reader, "decode_") : prefill;
    point.spread = decode.spread;
    point.prefill_gpus = prefill.gpus;
    point.decode_gpus = decode.gpus;
    if (apart) {
      point.prefill_workers = reader.Number("prefill_num_workers", 1);
      point.decode_workers = reader.Number("decode_num_workers", 1);
    }
    point.gpus = apart ? prefill.gpus * point.prefill_workers + decode.gpus * point.decode_workers
                       : decode.gpus;
    JIKJI_RETURN_IF_ERROR(reader.Done());
    if (point.concurrency < 1) continue;
    for (size_t i = 0; i < kConfigurationLabels; ++i) {
      point.configuration += point.labels[i] + " ";
    }
    point.configuration += fmt::format("{}{} {:g}x{:g}", Joined(prefill), Joined(decode),
                                       point.prefill_workers, point.decode_workers);
    points.push_back(std::move(point));
  }
  if (points.empty()) return Fail(ErrorCode::kMalformed, "holds no serving point", where);
  return points;
}

}  // namespace jikji::twin
