// Tokenizer speed on one core, and its ids against the reference's.
//
//   tokenizer_bench                     MB/s of each tokenizer on 10 MB each of legal, review and
//                                       technical Korean
//   tokenizer_bench --check             compares the hash of all ids with tests/goldens/tokenizer
//   tokenizer_bench NAME FILE...        MB/s of one tokenizer (qwen2, llama3, ...) on plain files
//
// MB/s are of processor time, so that other work on the machine does not count. A program of its
// own, not a Google Benchmark: a run is one pass over a corpus, and the first pass (cold cache of
// pieces) counts as much as the best.
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "text/testing.h"

namespace {

using jikji::testing::Blocks;
using jikji::testing::KoreanText;
using jikji::testing::LoadReference;

constexpr int kPasses = 5;

double ThreadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Encodes the text block by block; prints MB/s of the first and of the best pass.
void Measure(const std::string& tokenizer_name, const jikji::Tokenizer& tokenizer,
             const std::string& text_name, std::string_view text) {
  const auto blocks = Blocks(text);
  size_t tokens = 0;
  double first = 0;
  double best = 0;
  for (int pass = 0; pass < kPasses; ++pass) {
    const double begin = ThreadSeconds();
    tokens = 0;
    for (const std::string_view block : blocks) tokens += tokenizer.Encode(block).size();
    const double rate = static_cast<double>(text.size()) / (ThreadSeconds() - begin) / 1e6;
    if (pass == 0) first = rate;
    best = std::max(best, rate);
  }
  std::printf("%-14s %-14s %6.1f MB/s first, %6.1f MB/s best, %5.2f bytes/token\n",
              tokenizer_name.c_str(), text_name.c_str(), first, best,
              static_cast<double>(text.size()) / static_cast<double>(tokens));
}

int Check() {
  int differences = 0;
  for (const std::string name : jikji::testing::kReferenceNames) {
    const auto tokenizer = LoadReference(name);
    if (!tokenizer) {
      std::printf("%s: %s\n", name.c_str(), tokenizer.error().ToString().c_str());
      return 1;
    }
    for (const char* corpus : jikji::testing::kCorpora) {
      const auto expected =
          jikji::testing::ExpectedCorpus(name, corpus, jikji::testing::kLargeCorpus);
      const auto got =
          jikji::testing::HashCorpus(**tokenizer, KoreanText(corpus, jikji::testing::kLargeCorpus));
      const bool same = expected && got == *expected;
      differences += same ? 0 : 1;
      std::printf("%-14s %-14s %9llu tokens %s\n", name.c_str(), corpus,
                  static_cast<unsigned long long>(got.tokens), same ? "identical" : "DIFFERENT");
    }
  }
  return differences == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--check") == 0) return Check();
  if (argc >= 3) {
    const auto tokenizer = LoadReference(argv[1]);
    if (!tokenizer) {
      std::fprintf(stderr, "%s\n", tokenizer.error().ToString().c_str());
      return 1;
    }
    for (int i = 2; i < argc; ++i) {
      const auto text = jikji::ReadFile(argv[i]);
      if (!text) {
        std::fprintf(stderr, "%s\n", text.error().ToString().c_str());
        return 1;
      }
      Measure(argv[1], **tokenizer, argv[i], *text);
    }
    return 0;
  }
  for (const std::string name : jikji::testing::kReferenceNames) {
    const auto tokenizer = LoadReference(name);
    if (!tokenizer) {
      std::fprintf(stderr, "%s\n", tokenizer.error().ToString().c_str());
      return 1;
    }
    for (const char* corpus : jikji::testing::kCorpora) {
      Measure(name, **tokenizer, corpus, KoreanText(corpus, jikji::testing::kLargeCorpus));
    }
  }
  return 0;
}
