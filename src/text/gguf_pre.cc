#include "text/gguf_pre.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <vector>

namespace jikji {
namespace {

using Family = ScanRules::Family;
using Contractions = ScanRules::Contractions;

// llama.cpp spells Llama 3's contractions out in ASCII.
constexpr ScanRules kGpt2 = {Family::kGpt2, Contractions::kLowerCase, 0, false};
constexpr ScanRules kLlama3 = {Family::kCl100k, Contractions::kAsciiCase, 3, false};
constexpr ScanRules kQwen2 = {Family::kCl100k, Contractions::kAsciiCase, 1, false};
// llama.cpp imitates these two without \p{Lu} and \p{Ll}; here they are what the models were
// trained with.
constexpr ScanRules kGpt4o = {Family::kO200k, Contractions::kAnyCase, 3, true};
constexpr ScanRules kTekken = {Family::kO200k, Contractions::kNone, 1, true};

// The letters of DeepSeek LLM's first pattern.
constexpr std::string_view kDeepseekLetters =
    R"(\s?[A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf}\x{1c4}-\x{293})"
    R"(\x{295}-\x{2af}\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}\x{388}-\x{38a})"
    R"(\x{38c}\x{38e}-\x{3a1}\x{3a3}-\x{3f5}\x{3f7}-\x{481}\x{48a}-\x{52f}\x{531}-\x{556})"
    R"(\x{10a0}-\x{10c5}\x{13a0}-\x{13f5}\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf})"
    R"(\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}\x{1d79}-\x{1d9a}\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d})"
    R"(\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}\x{1f5b}\x{1f5d})"
    R"(\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4})"
    R"(\x{1fc6}-\x{1fcc}\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4})"
    R"(\x{1ff6}-\x{1ffc}\x{2102}\x{2107}\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}\x{2124})"
    R"(\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134}\x{2139}\x{213c}-\x{213f})"
    R"(\x{2145}-\x{2149}\x{214e}\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4})"
    R"(\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b}\x{a722}-\x{a76f})"
    R"(\x{a771}-\x{a787}\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17})"
    R"(\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}\x{10400}-\x{1044f}\x{104b0}-\x{104d3})"
    R"(\x{104d8}-\x{104fb}\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2}\x{118a0}-\x{118df})"
    R"(\x{1e900}-\x{1e943}]+)";
constexpr std::string_view kCjkRuns = R"([\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+)";

// What cuts a text, in order: a scanner or a pattern.
struct Step {
  std::string_view pattern;
  ScanRules rules;
  constexpr Step(const char* p) : pattern(p) {}       // NOLINT: a list of patterns reads better
  constexpr Step(std::string_view p) : pattern(p) {}  // NOLINT: a list of patterns reads better
  constexpr Step(const ScanRules& r) : rules(r) {}    // NOLINT
};

Result<GgufPre> Make(std::initializer_list<Step> steps, bool whole_pieces = false,
                     bool add_bos = false) {
  std::vector<std::unique_ptr<Splitter>> stages;
  for (const Step& step : steps) {
    if (step.pattern.empty()) {
      stages.push_back(MakeScanSplitter(step.rules));
    } else {
      JIKJI_ASSIGN(auto regex, Regex::Compile(step.pattern, "tokenizer.ggml.pre"));
      stages.push_back(MakeRegexSplitter(std::move(regex), SplitBehavior::kIsolated, false));
    }
  }
  GgufPre pre;
  pre.splitter = stages.size() == 1 ? std::move(stages[0]) : MakeSequence(std::move(stages));
  pre.whole_pieces = whole_pieces;
  pre.add_bos = add_bos;
  return pre;
}

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Result<GgufPre> MakeGgufPre(std::string_view name) {
  if (IsOneOf(name, {"llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral",
                     "midm-2.0", "lfm2"})) {
    return Make({kLlama3}, true, true);
  }
  if (IsOneOf(name, {"dbrx", "smaug-bpe", "chatglm-bpe", "glm4"})) return Make({kLlama3});
  if (IsOneOf(name, {"qwen2", "deepseek-r1-qwen", "kormo", "megrez", "stablelm2"})) {
    return Make({kQwen2});
  }
  if (IsOneOf(name, {"gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es", "jina-v2-de",
                     "a.x-4.0", "mellum", "mpt", "olmo", "jais", "exaone4"})) {
    return Make({kGpt2});
  }
  if (IsOneOf(name, {"starcoder", "refact", "command-r", "smollm", "codeshell", "exaone",
                     "minerva-7b"})) {
    return Make({R"(\p{N})", kGpt2});
  }
  if (IsOneOf(name, {"gpt-4o", "llama4"})) return Make({kGpt4o});
  if (name == "tekken") return Make({kTekken}, true, true);
  if (name == "falcon") {
    return Make({R"([\p{P}\$\+<=>\^~\|`]+)", kGpt2, "[0-9][0-9][0-9]"});
  }
  if (name == "deepseek-llm") {
    return Make(
        {R"([\r\n])", kDeepseekLetters,
         R"(\s?[!-/:-~\x{ff01}-\x{ff0f}\x{ff1a}-\x{ff5e}\x{2018}-\x{201f}\x{3000}-\x{3002}]+)",
         R"(\s+$)", kCjkRuns, R"(\p{N}+)"});
  }
  if (name == "deepseek-coder") {
    return Make({R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", kCjkRuns, R"(\p{N})"});
  }
  if (IsOneOf(name, {"deepseek-v3", "hunyuan-dense"})) {
    return Make({R"(\p{N}{1,3})", R"([\x{4e00}-\x{9fa5}\x{3040}-\x{309f}\x{30a0}-\x{30ff}]+)",
                 R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|)"
                 R"([^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|)"
                 R"(\s*[\r\n]+|\s+(?!\S)|\s+)"});
  }
  if (name.empty() || name == "default") {
    return Make({R"([\p{P}\$\+<=>\^~\|]+)", kGpt2, R"(\p{N}+)", "[0-9][0-9][0-9]"});
  }
  return Fail(ErrorCode::kUnsupported, fmt::format("the pre-tokenizer `{}` is not supported", name),
              "tokenizer.ggml.pre");
}

}  // namespace jikji
