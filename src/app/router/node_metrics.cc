#include "app/router/node_metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace jikji {
namespace {

std::optional<double> ParseNumber(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  return value;
}

// A count that a node could have; what is out of range is taken as the nearest.
int64_t Count(double value) { return static_cast<int64_t>(std::clamp(value, 0.0, 1e15)); }

// The value of `name="123"` among labels; 0 where there is none.
double Label(std::string_view labels, std::string_view name) {
  for (size_t at = labels.find(name); at != std::string_view::npos;
       at = labels.find(name, at + 1)) {
    std::string_view rest = labels.substr(at + name.size());
    const bool begins = at == 0 || labels[at - 1] == '{' || labels[at - 1] == ',';
    if (!begins || !rest.starts_with("=\"")) continue;
    rest.remove_prefix(2);
    return ParseNumber(rest.substr(0, rest.find('"'))).value_or(0);
  }
  return 0;
}

void Take(std::string_view line, NodeMetrics& metrics) {
  const size_t name_end = std::min(line.find_first_of("{ "), line.size());
  const std::string_view name = line.substr(0, name_end);
  const size_t labels_end = line.rfind('}');
  const bool labelled = labels_end != std::string_view::npos && labels_end > name_end;
  const std::string_view labels =
      labelled ? line.substr(name_end, labels_end - name_end) : std::string_view();
  const auto value = ParseNumber(line.substr(labelled ? labels_end + 1 : name_end));
  if (!value) return;
  if (name == "vllm:num_requests_running" || name == "llamacpp:requests_processing") {
    metrics.running += Count(*value);
  } else if (name == "vllm:num_requests_waiting" || name == "llamacpp:requests_deferred") {
    metrics.waiting += Count(*value);
  } else if (name == "vllm:kv_cache_usage_perc" || name == "vllm:gpu_cache_usage_perc" ||
             name == "llamacpp:kv_cache_usage_ratio") {
    metrics.cache_use = std::clamp(*value, 0.0, 1.0);
  } else if (name == "jikji:gpu_power_watts") {
    metrics.gpu_watts += std::clamp(*value, 0.0, 1e6);
  } else if (name == "vllm:cache_config_info") {
    metrics.cache_tokens = Count(Label(labels, "block_size") * Label(labels, "num_gpu_blocks"));
  }
}

}  // namespace

NodeMetrics ParseNodeMetrics(std::string_view text) {
  NodeMetrics metrics;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.front() != '#') Take(line, metrics);
  }
  return metrics;
}

}  // namespace jikji
