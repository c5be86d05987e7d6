#include "adapt/convert/pre_tokenizers.h"

#include <algorithm>
#include <span>

#include "text/scanner.h"

namespace jikji {
namespace {

struct Entry {
  PreTokenizer pre;
  std::vector<std::string_view> same;  // other names of it
};

const std::vector<Entry>& Entries() {
  static const std::vector<Entry> entries = {
      {{"llama-bpe", kCl100kPattern, true},
       {"llama3", "llama-v3", "falcon3", "pixtral", "midm-2.0"}},
      {{"dbrx", kCl100kPattern, false}, {"smaug-bpe", "chatglm-bpe", "glm4"}},
      {{"qwen2", kQwen2Pattern, false}, {"deepseek-r1-qwen", "kormo", "megrez", "stablelm2"}},
      {{"gpt-2", kGpt2Pattern, false}, {"phi-2", "a.x-4.0", "exaone4", "mpt", "olmo", "jais"}},
      {{"gpt-4o", kO200kPattern, false}, {"llama4"}},
      {{"tekken", kTekkenPattern, true}, {}},

  };
  return entries;
}

}  // namespace

std::vector<PreTokenizer> PreTokenizersOf(std::string_view pattern, bool ignore_merges) {
  std::vector<PreTokenizer> found;
  for (const Entry& entry : Entries()) {
    if (entry.pre.pattern == pattern) found.push_back(entry.pre);
  }
  std::ranges::stable_partition(
      found, [&](const PreTokenizer& pre) { return pre.ignore_merges == ignore_merges; });
  return found;
}

std::optional<PreTokenizer> PreTokenizerNamed(std::string_view name) {
  for (const Entry& entry : Entries()) {
    if (entry.pre.name == name || std::ranges::find(entry.same, name) != entry.same.end()) {
      return entry.pre;
    }
  }
  return std::nullopt;
}

}  // namespace jikji
