#include "model/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace jikji {
namespace {

// theta^(2i / head_dim). The exponent is rounded to float32, the power correctly.
std::vector<float> Wavelengths(double theta, int64_t head_dim) {
  std::vector<float> powers(static_cast<size_t>(head_dim / 2));
  const float base = static_cast<float>(theta);
  for (size_t i = 0; i < powers.size(); ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(head_dim);
    powers[i] = static_cast<float>(std::pow(static_cast<double>(base), exponent));
  }
  return powers;
}

// Llama 3.1: long waves are stretched by the factor, short ones kept, those between blended.
void ScaleLlama3(const RopeSpec& spec, std::vector<float>& inv_freq) {
  const float factor = static_cast<float>(spec.factor);
  const float low = static_cast<float>(spec.low_freq_factor);
  const float range = static_cast<float>(spec.high_freq_factor - spec.low_freq_factor);
  const float context = static_cast<float>(spec.original_max_position);
  const double longest = static_cast<double>(spec.original_max_position) / spec.low_freq_factor;
  const double shortest = static_cast<double>(spec.original_max_position) / spec.high_freq_factor;
  constexpr float kTurn = static_cast<float>(2 * std::numbers::pi);
  for (float& frequency : inv_freq) {
    const float wave = kTurn / frequency;
    if (wave > static_cast<float>(longest)) {
      frequency /= factor;
    } else if (wave >= static_cast<float>(shortest)) {
      const float smooth = (context / wave - low) / range;
      frequency = (1.0f - smooth) * frequency / factor + smooth * frequency;
    }
  }
}

// YaRN (Peng et al. 2023): the dimension at which a wave turns `rotations` times in the original
// context.
double CorrectionDimension(const RopeSpec& spec, double rotations, double head_dim) {
  const double context = static_cast<double>(spec.original_max_position);
  return head_dim * std::log(context / (rotations * 2 * std::numbers::pi)) /
         (2 * std::log(spec.theta));
}

void ScaleYarn(const RopeSpec& spec, int64_t head_dim, const std::vector<float>& powers,
               std::vector<float>& inv_freq) {
  double low = CorrectionDimension(spec, spec.beta_fast, static_cast<double>(head_dim));
  double high = CorrectionDimension(spec, spec.beta_slow, static_cast<double>(head_dim));
  if (spec.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(head_dim - 1));
  if (low == high) high += 0.001;  // as the reference does, lest the ramp divide by zero
  const float start = static_cast<float>(low);
  const float width = static_cast<float>(high - low);
  const float factor = static_cast<float>(spec.factor);
  for (size_t i = 0; i < inv_freq.size(); ++i) {
    const float ramp = std::clamp((static_cast<float>(i) - start) / width, 0.0f, 1.0f);
    const float keep = 1.0f - ramp;
    const float stretched = 1.0f / (factor * powers[i]);
    inv_freq[i] = stretched * (1.0f - keep) + inv_freq[i] * keep;
  }
}

}  // namespace

RopeTable MakeRopeTable(const RopeSpec& spec, int64_t head_dim) {
  const std::vector<float> powers = Wavelengths(spec.theta, head_dim);
  RopeTable table;
  table.inv_freq.reserve(powers.size());
  for (const float power : powers) table.inv_freq.push_back(1.0f / power);
  if (spec.divisors.size() == table.inv_freq.size()) {
    for (size_t i = 0; i < powers.size(); ++i) table.inv_freq[i] /= spec.divisors[i];
    return table;
  }
  switch (spec.scaling) {
    case RopeSpec::Scaling::kNone:
      break;
    case RopeSpec::Scaling::kLinear:
      for (float& frequency : table.inv_freq) frequency /= static_cast<float>(spec.factor);
      break;
    case RopeSpec::Scaling::kLlama3:
      ScaleLlama3(spec, table.inv_freq);
      break;
    case RopeSpec::Scaling::kYarn:
      ScaleYarn(spec, head_dim, powers, table.inv_freq);
      table.magnitude = static_cast<float>(spec.attention_factor != 0 ? spec.attention_factor
                                           : spec.factor <= 1         ? 1.0
                                                              : 0.1 * std::log(spec.factor) + 1.0);
      break;
  }
  return table;
}

}  // namespace jikji
