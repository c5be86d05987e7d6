// What the privacy guard costs, and what it finds in texts that hold nothing personal.
//
//   guard_bench                        GB/s on ordinary Korean text, µs per chunk of a stream, and
//                                      the cost of a prompt of 100,000 tokens
//   guard_bench --false-alarms [MB]    every finding on MB megabytes (20) of ko-text, with the text
//                                      around it, and counts by kind: statutes, reviews and
//                                      documentation, in equal shares
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "base/utf8.h"
#include "govern/guard/filter.h"
#include "govern/guard/guard.h"
#include "text/testing.h"

namespace jikji::guard {
namespace {

// A Korean token of the models we run is about four bytes.
constexpr size_t kPromptBytes = 400'000;

const std::string& Corpus(const char* name) {
  static std::map<std::string, std::string> texts;
  auto& text = texts[name];
  if (text.empty()) text = jikji::testing::KoreanText(name, 8 << 20);
  return text;
}

void Scan(benchmark::State& state, const char* corpus) {
  const std::string& text = Corpus(corpus);
  if (text.empty()) return state.SkipWithError("no ../shared/data/ko-text");
  for (auto _ : state) benchmark::DoNotOptimize(FindPii(text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}

void Prompt(benchmark::State& state, const char* corpus) {
  const std::string text = Corpus(corpus).substr(0, kPromptBytes);
  const auto guard = MakePrivacyGuard(DefaultPolicy());
  for (auto _ : state) benchmark::DoNotOptimize(guard->CheckPrompt(text));
}

// One token of text at a time, as the engine sends it.
void StreamChunk(benchmark::State& state, const char* corpus) {
  const std::string text = Corpus(corpus).substr(0, 1 << 20);
  const auto guard = MakePrivacyGuard(DefaultPolicy());
  auto output = guard->StartOutput();
  size_t at = 0;
  for (auto _ : state) {
    size_t end = std::min(at + 4, text.size());
    while (end < text.size() && (text[end] & 0xC0) == 0x80) ++end;
    benchmark::DoNotOptimize((*output)->Push(std::string_view(text).substr(at, end - at)));
    at = end;
    if (at == text.size() || (*output)->blocked()) {
      if (at == text.size()) at = 0;
      output = guard->StartOutput();
    }
  }
}

void Register() {
  for (const char* corpus : {"legal", "nsmc_reviews", "ms_docs"}) {
    benchmark::RegisterBenchmark((std::string("Scan/") + corpus).c_str(), Scan, corpus);
    benchmark::RegisterBenchmark((std::string("Prompt100kTokens/") + corpus).c_str(), Prompt,
                                 corpus);
    benchmark::RegisterBenchmark((std::string("StreamChunk/") + corpus).c_str(), StreamChunk,
                                 corpus);
  }
}

// `text` from whole characters, line breaks shown as spaces.
std::string Excerpt(std::string_view text, size_t begin, size_t end) {
  constexpr size_t kAround = 24;
  begin -= std::min(begin, kAround);
  end = std::min(end + kAround, text.size());
  std::string out = ReplaceInvalidUtf8(text.substr(begin, end - begin));
  std::ranges::replace(out, '\n', ' ');
  return out;
}

int FalseAlarms(size_t megabytes) {
  constexpr const char* kCorpora[] = {"legal", "nsmc_reviews", "ms_docs", "webdocs"};
  PiiCounts counts{};
  size_t bytes = 0;
  for (const char* corpus : kCorpora) {
    const std::string text =
        jikji::testing::KoreanText(corpus, megabytes * 1'000'000 / std::size(kCorpora));
    bytes += text.size();
    for (const Finding& finding : FindPii(text)) {
      ++counts[static_cast<size_t>(finding.kind)];
      std::printf("%s\t%s\t%s\t%s\n", corpus, NameOf(finding.kind).key.data(),
                  text.substr(finding.begin, finding.end - finding.begin).c_str(),
                  Excerpt(text, finding.begin, finding.end).c_str());
    }
  }
  std::printf("in %.1f MB: %s\n", static_cast<double>(bytes) / 1e6, DescribeCounts(counts).c_str());
  return bytes == 0 ? 1 : 0;
}

}  // namespace
}  // namespace jikji::guard

int main(int argc, char** argv) {
  if (argc >= 2 && std::strcmp(argv[1], "--false-alarms") == 0) {
    return jikji::guard::FalseAlarms(argc >= 3 ? std::strtoul(argv[2], nullptr, 10) : 20);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  jikji::guard::Register();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
