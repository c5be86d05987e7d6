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
    R"(\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷ)"
    R"(ᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄ)"
    R"(Ⰰ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+)";
constexpr std::string_view kCjkRuns = "[一-龥ࠀ-一가-퟿]+";

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
    return Make({R"([\r\n])", kDeepseekLetters, R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)", R"(\s+$)",
                 kCjkRuns, R"(\p{N}+)"});
  }
  if (name == "deepseek-coder") {
    return Make({R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", kCjkRuns, R"(\p{N})"});
  }
  if (IsOneOf(name, {"deepseek-v3", "hunyuan-dense"})) {
    return Make({R"(\p{N}{1,3})", "[一-龥぀-ゟ゠-ヿ]+",
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
