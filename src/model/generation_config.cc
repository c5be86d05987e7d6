#include "model/generation_config.h"

#include <fmt/format.h>

#include <limits>

namespace jikji {
namespace {

// Of a turn: ChatML, Llama 3 and 4, Phi and jikji-mini, EXAONE, Gemma, HyperCLOVA X, OpenChat,
// gpt-oss. Of a text: GPT-2 and Qwen, Llama 3.
constexpr std::string_view kEnders[] = {"<|im_end|>",    "<|eot_id|>",    "<|eom_id|>",
                                        "<|eot|>",       "<|end|>",       "[|endofturn|]",
                                        "<end_of_turn>", "<|endofturn|>", "<|end_of_turn|>",
                                        "<|return|>",    "<|endoftext|>", "<|end_of_text|>"};

Result<> ReadNumber(const ConfigFields& config, std::string_view key, double min, double max,
                    std::optional<double>& out) {
  if (!config.Has(key)) return {};
  JIKJI_ASSIGN(out, config.Number(key, min, max));
  return {};
}

}  // namespace

Result<GenerationDefaults> ReadGenerationDefaults(const ConfigFields& config) {
  GenerationDefaults out;
  constexpr double kHuge = 1e4;
  JIKJI_RETURN_IF_ERROR(ReadNumber(config, "temperature", 0, kHuge, out.temperature));
  JIKJI_RETURN_IF_ERROR(ReadNumber(config, "top_p", 0, 1, out.top_p));
  JIKJI_RETURN_IF_ERROR(ReadNumber(config, "min_p", 0, 1, out.min_p));
  JIKJI_RETURN_IF_ERROR(
      ReadNumber(config, "repetition_penalty", 1e-4, kHuge, out.repetition_penalty));
  if (config.Has("top_k")) {  // -1 and 0: all
    JIKJI_ASSIGN(out.top_k, config.Int("top_k", -1, std::numeric_limits<int32_t>::max()));
  }
  JIKJI_ASSIGN(out.do_sample, config.FindBool("do_sample"));
  return out;
}

Result<> AddStopIds(const ConfigFields& config, std::string_view key, int64_t vocab,
                    std::set<TokenId>& stops) {
  std::vector<int64_t> ids;
  if (config.IsList(key)) {
    JIKJI_ASSIGN(auto list, config.FindInts(key));
    if (list) ids = std::move(*list);
  } else {
    JIKJI_ASSIGN(const auto id, config.FindInt(key));
    if (id) ids.push_back(*id);
  }
  for (const int64_t id : ids) {
    if (id < 0 || id >= vocab) {
      return config.Malformed(key,
                              fmt::format("has {}; the model has {} tokens, from 0", id, vocab));
    }
    stops.insert(static_cast<TokenId>(id));
  }
  return {};
}

void AddEnders(const Tokenizer& tokenizer, std::set<TokenId>& stops) {
  for (const std::string_view written : kEnders) {
    const auto id = tokenizer.FindToken(written);
    if (id && tokenizer.IsSpecial(*id)) stops.insert(*id);
  }
}

}  // namespace jikji
