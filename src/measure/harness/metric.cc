#include "measure/harness/metric.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace jikji::measure {
namespace {

double CountCharacters(const std::string& text) {
  return static_cast<double>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

double MacroF1(const Metric& metric, std::span<const uint32_t> drawn) {
  struct Counts {
    double hits = 0, right = 0, chosen = 0;
  };
  std::map<double, Counts> classes;
  for (const uint32_t i : drawn) {
    const double right = metric.first[i], chosen = metric.second[i];
    ++classes[right].right;
    ++classes[chosen].chosen;
    if (right == chosen) ++classes[right].hits;
  }
  double sum = 0;
  for (const auto& [name, counts] : classes)
    sum += 2 * counts.hits / (counts.right + counts.chosen);
  return sum / static_cast<double>(classes.size());
}

}  // namespace

double Metric::Value(std::span<const uint32_t> drawn) const {
  if (drawn.empty()) return 0;
  if (kind == MetricKind::kMacroF1) return MacroF1(*this, drawn);
  double sum = 0, of = 0;
  for (const uint32_t i : drawn) {
    sum += first[i];
    of += kind == MetricKind::kRatio ? second[i] : 1;
  }
  return of == 0 ? 0 : sum / of;
}

double Metric::Value() const {
  std::vector<uint32_t> all(items());
  std::iota(all.begin(), all.end(), 0u);
  return Value(all);
}

size_t BestChoice(std::span<const double> scores, std::span<const double> lengths) {
  const auto score = [&](size_t i) { return lengths.empty() ? scores[i] : scores[i] / lengths[i]; };
  size_t best = 0;
  for (size_t i = 1; i < scores.size(); ++i) {
    if (score(i) > score(best)) best = i;
  }
  return best;
}

std::vector<Metric> ChoiceMetrics(std::span<const ChoiceItem> items,
                                  std::span<const std::vector<double>> scores) {
  std::vector<Metric> out(4);
  const char* names[] = {"acc", "acc_norm", "acc_bytes", "f1"};
  for (size_t i = 0; i < out.size(); ++i) out[i].name = names[i];
  out[3].kind = MetricKind::kMacroF1;
  for (size_t i = 0; i < items.size(); ++i) {
    const ChoiceItem& item = items[i];
    std::vector<double> characters, bytes;
    for (const std::string& choice : item.choices) {
      characters.push_back(CountCharacters(choice));
      bytes.push_back(static_cast<double>(choice.size()));
    }
    const size_t best = BestChoice(scores[i]);
    const auto right = [&](size_t choice) { return choice == item.gold ? 1.0 : 0.0; };
    out[0].first.push_back(right(best));
    out[1].first.push_back(right(BestChoice(scores[i], characters)));
    out[2].first.push_back(right(BestChoice(scores[i], bytes)));
    out[3].first.push_back(static_cast<double>(item.gold));
    out[3].second.push_back(static_cast<double>(best));
  }
  return out;
}

}  // namespace jikji::measure
