// What the API costs beside the engine: a frame per token, and reading a request.
#include <benchmark/benchmark.h>

#include <string>

#include "api/answer_writer.h"
#include "api/chat_request.h"

namespace jikji {
namespace {

void StreamFrame(benchmark::State& state) {
  AnswerHead head;
  head.id = "chatcmpl-0123456789abcdef0123456789abcdef";
  head.model = "jikji-mini-ko";
  head.include_usage = true;
  AnswerWriter writer(head, nullptr, 1);
  std::string out;
  for (auto _ : state) {
    out.clear();
    writer.AddText(0, "안녕");
    writer.AppendNews(0, {}, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(StreamFrame);

void ParseChat(benchmark::State& state) {
  std::string text;
  while (text.size() < static_cast<size_t>(state.range(0)))
    text += "대한민국의 수도는 서울입니다. ";
  const std::string body =
      R"({"model":"m","messages":[{"role":"user","content":")" + text + R"("}],"stream":true})";
  for (auto _ : state) benchmark::DoNotOptimize(ParseChatRequest(body));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(body.size()));
}
BENCHMARK(ParseChat)->Arg(256)->Arg(64 << 10);

}  // namespace
}  // namespace jikji
