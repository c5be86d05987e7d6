#include "twin/engines.h"

#include <fmt/format.h>

#include "fleet/table_reader.h"

namespace jikji::twin {

Result<std::vector<NamedEngine>> ReadEngines(std::string_view text, std::string where) {
  JIKJI_ASSIGN(fleet::TableReader file, fleet::TableReader::Parse(text, std::move(where)));
  std::vector<NamedEngine> engines;
  for (fleet::TableReader& table : file.Tables("engine")) {
    NamedEngine named;
    named.model = table.Text("model");
    named.chip = table.Text("chip");
    named.gpus = static_cast<int32_t>(table.Integer("gpus", {1, 10'000}));
    EngineModel& engine = named.engine;
    engine.step.base_s = table.Number("base_ms", {1e-3, 1e5}) / 1e3;
    engine.step.sequence_s = table.Number("sequence_us", {0, 1e6}) / 1e6;
    engine.step.context_s = table.Number("context_ns", {0, 1e6}) / 1e9;
    engine.step.prompt_s = table.Number("prompt_us", {1e-6, 1e6}) / 1e6;
    engine.step.attention_s = table.Number("attention_ns", {0, 1e6}, 0) / 1e9;
    engine.kv_tokens = table.Integer("kv_tokens", {1, 1e12});
    engine.max_running = static_cast<int32_t>(table.Integer("max_running", {1, 100'000}));
    engine.chunk_tokens = static_cast<int32_t>(table.Integer("chunk_tokens", {1, 1'000'000}));
    engine.request_s = table.Number("request_ms", {0, 1e6}, 0) / 1e3;
    engine.prefill_slowdown = table.Number("prefill_slowdown", {0, 1e6}, 0);
    if (engine.prefill_slowdown > 0 && engine.prefill_slowdown <= 1) {
      table.Reject("prefill_slowdown", "must be 0, or above 1");
    }
    JIKJI_RETURN_IF_ERROR(table.Done());
    engines.push_back(std::move(named));
  }
  JIKJI_RETURN_IF_ERROR(file.Done());
  return engines;
}

Result<NamedEngine> FindEngine(const std::vector<NamedEngine>& engines, std::string_view model,
                               std::string_view chip) {
  std::string known;
  for (const NamedEngine& engine : engines) {
    if (engine.model == model && engine.chip == chip) return engine;
    known += fmt::format("{}{} on {}", known.empty() ? "" : ", ", engine.model, engine.chip);
  }
  return Fail(ErrorCode::kNotFound,
              fmt::format("no engine is known for {} on {}; known are {}", model, chip, known));
}

}  // namespace jikji::twin
