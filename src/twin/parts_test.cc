#include <gtest/gtest.h>
#include <zstd.h>

#include <algorithm>
#include <deque>
#include <random>

#include "base/test_rounds.h"
#include "twin/archive.h"
#include "twin/event_heap.h"
#include "twin/fifo.h"
#include "twin/histogram.h"
#include "twin/prefix_caches.h"
#include "twin/random.h"
#include "twin/replicas.h"
#include "twin/workload.h"

namespace jikji::twin {
namespace {

TEST(EventHeap, IsAlwaysTheLeastOfAll) {
  std::mt19937_64 random(1);
  for (int round = 0; round < TestRounds(50); ++round) {
    const size_t nodes = 1 + random() % 300;
    EventHeap heap(nodes);
    std::vector<double> times(nodes, EventHeap::kNever);
    for (int i = 0; i < 2000; ++i) {
      const auto node = static_cast<uint32_t>(random() % nodes);
      times[node] = random() % 10 == 0 ? EventHeap::kNever : static_cast<double>(random() % 500);
      heap.Set(node, times[node]);
      const auto least = std::ranges::min_element(times);
      ASSERT_EQ(heap.first_time(), *least);
      ASSERT_EQ(heap.first(), static_cast<uint32_t>(least - times.begin()));
    }
  }
}

TEST(Fifo, IsAQueue) {
  std::mt19937_64 random(4);
  Fifo<uint64_t> fifo;
  std::deque<uint64_t> reference;
  for (int i = 0; i < 20'000; ++i) {
    // Longer and shorter by turns, so that it runs empty and fills up again.
    const bool grows = random() % 16 < ((i / 500) % 2 == 0 ? 10u : 6u);
    if (grows || reference.empty()) {
      fifo.push_back(random());
      reference.push_back(*(fifo.end() - 1));
    } else if (random() % 1000 == 0) {
      fifo.clear();
      reference.clear();
    } else {
      ASSERT_EQ(fifo.front(), reference.front());
      fifo.pop_front();
      reference.pop_front();
    }
    ASSERT_EQ(fifo.size(), reference.size());
    ASSERT_EQ(fifo.empty(), reference.empty());
    if (i % 100 == 0) {
      ASSERT_TRUE(std::ranges::equal(fifo, reference));
    }
  }
}

TEST(Histogram, QuantilesAreCloseToSorted) {
  Random random(2);
  Histogram histogram;
  std::vector<double> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(random.Exponential(0.3));
    histogram.Add(values.back());
  }
  std::ranges::sort(values);
  for (const double share : {0.1, 0.5, 0.9, 0.99}) {
    const double exact = values[static_cast<size_t>(share * 20'000) - 1];
    EXPECT_NEAR(histogram.Quantile(share) / exact, 1, 0.025) << share;
  }
  EXPECT_NEAR(histogram.mean(), 0.3, 0.01);
  EXPECT_EQ(Histogram().Quantile(0.5), 0);
  Histogram zero;
  zero.Add(0);
  EXPECT_LT(zero.Quantile(0.5), 1e-5);
}

TEST(PrefixCaches, HoldsUntilOthersPushItOut) {
  PrefixCaches caches(3, 64);
  std::vector<uint64_t> prefix;
  for (uint64_t i = 0; i < 8; ++i) prefix.push_back(fleet::Mix(i));
  EXPECT_EQ(caches.Use(1, prefix), 0u);
  EXPECT_EQ(caches.Use(1, prefix), 8u);
  EXPECT_EQ(caches.Use(2, prefix), 0u) << "each node for itself";
  EXPECT_EQ(caches.Use(1, std::span(prefix).first(3)), 3u);
  for (uint64_t i = 100; i < 1100; ++i) caches.Use(1, std::vector{fleet::Mix(i)});
  EXPECT_EQ(caches.Use(1, prefix), 0u);
  caches.Clear(2);
  EXPECT_EQ(caches.Use(2, prefix), 0u);
  EXPECT_EQ(PrefixCaches(1, 0).Use(0, prefix), 0u);
}

TEST(PrefixCaches, HoldsMostOfWhatItHasRoomFor) {
  // Not a power of two of blocks: sets are chosen from their whole range. Half full, few sets
  // overflow.
  constexpr uint64_t kBlocks = 5000, kUsed = kBlocks / 2;
  PrefixCaches caches(2, kBlocks);
  for (uint64_t i = 0; i < kUsed; ++i) caches.Use(1, std::vector{fleet::Mix(i)});
  uint64_t held = 0;
  for (uint64_t i = 0; i < kUsed; ++i) held += caches.Use(1, std::vector{fleet::Mix(i)});
  EXPECT_GT(held, kUsed * 9 / 10);
}

TEST(StepModel, FitFindsWhatMadeThePoints) {
  const StepModel made{0.006, 4e-5, 3e-8, 2e-5};
  std::vector<ServingPoint> points;
  for (const double concurrency : {1.0, 4.0, 16.0, 64.0}) {
    for (const double prompt : {1024.0, 8192.0}) {
      points.push_back({concurrency, prompt, 1024, 0, SteadyTpot(made, concurrency, prompt, 1024)});
    }
  }
  const auto fitted = FitStepModel(points);
  ASSERT_TRUE(fitted);
  for (const ServingPoint& point : points) {
    EXPECT_NEAR(SteadyTpot(*fitted, point.concurrency, point.prompt_tokens, 1024) / point.tpot_s, 1,
                0.01);
  }
  EXPECT_FALSE(FitStepModel(std::span(points).first(3)));
}

TEST(Replicas, EndsEveryRequestOnceAndInTime) {
  std::mt19937_64 random(5);
  for (int round = 0; round < TestRounds(40); ++round) {
    Replicas replicas(1, {.step = {0.01, 1e-4, 1e-8, 1e-5},
                          .max_running = 1 + static_cast<int32_t>(random() % 20),
                          .kv_tokens = 2000 + static_cast<int64_t>(random() % 20'000),
                          .chunk_tokens = 64 + static_cast<int32_t>(random() % 1000)});
    const uint32_t count = 200;
    std::vector<int> first(count, 0), finished(count, 0);
    double now = 0, came = 0;
    uint32_t added = 0;
    while (true) {
      const double next = replicas.NextTime(0);
      if (added < count && came <= next) {
        const auto prompt = static_cast<uint32_t>(1 + random() % 3000);
        replicas.Add(0, came,
                     {added, 1 + static_cast<uint32_t>(random() % prompt), prompt,
                      static_cast<uint32_t>(1 + random() % 100)});
        ++added;
        came += static_cast<double>(random() % 100) / 1000;
        continue;
      }
      if (next == EventHeap::kNever) break;
      ASSERT_GE(next, now - 1e-12);
      now = next;
      const Replicas::Event event = replicas.Step(0);
      if (event.kind == Replicas::Event::Kind::kFirstToken) {
        ++first[event.id];
        finished[event.id] += event.also_finished;
      } else {
        ASSERT_EQ(first[event.id], 1);
        ++finished[event.id];
      }
    }
    ASSERT_EQ(added, count);
    ASSERT_EQ(std::ranges::count(first, 1), count);
    ASSERT_EQ(std::ranges::count(finished, 1), count);
  }
}

TEST(Workload, SyntheticKeepsItsRateAndShape) {
  const Lengths lengths = TypicalLengths();
  const auto workload = Synthetic({.requests_per_second = 2,
                                   .seconds = 86400,
                                   .shape = {0.5, 1.5},
                                   .prompts = lengths.prompts,
                                   .outputs = lengths.outputs});
  Arrival arrival;
  double last = 0, morning = 0, all = 0, outputs = 0;
  while (workload->Next(arrival)) {
    ASSERT_GE(arrival.time, last);
    last = arrival.time;
    morning += arrival.time < 43200;
    outputs += arrival.output;
    ++all;
  }
  EXPECT_NEAR(all, 2 * 86400, 2000);
  EXPECT_NEAR(morning / all, 0.25, 0.01);
  EXPECT_NEAR(outputs / all, 211, 4);
  EXPECT_NEAR(workload->mean_output(), 211, 4);
}

TEST(Workload, CopiesMultiplyTheRateAndShareNoPrompts) {
  Trace trace;
  trace.blocks = {1, 2};
  for (int i = 0; i < 100; ++i) {
    trace.requests.push_back({static_cast<double>(i), 1024, 10, 0, 2});
  }
  trace.seconds = 100;
  const auto count = [&](int32_t copies) {
    const auto workload = Replay(trace, {.copies = copies, .seconds = 300});
    Arrival arrival;
    std::vector<uint64_t> firsts;
    double last = 0;
    while (workload->Next(arrival)) {
      EXPECT_GE(arrival.time, last);
      last = arrival.time;
      firsts.push_back(arrival.prefix[0]);
    }
    const size_t requests = firsts.size();
    std::ranges::sort(firsts);
    firsts.erase(std::ranges::unique(firsts).begin(), firsts.end());
    return std::pair(requests, firsts.size());
  };
  EXPECT_EQ(count(1), std::pair(size_t{300}, size_t{3}));
  const auto [requests, distinct] = count(5);
  EXPECT_NEAR(static_cast<double>(requests), 1500, 10);
  EXPECT_GE(distinct, 15u);
}

std::string Compressed(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

TEST(Archive, UnpacksWithinItsLimit) {
  const std::string text(100'000, 'x');
  const std::string packed = Compressed(text);
  EXPECT_EQ(*Decompress(packed, "f", 1 << 20), text);
  EXPECT_EQ(Decompress(packed, "f", 1000).error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(Decompress(packed.substr(0, packed.size() - 3), "f", 1 << 20).error().where, "f");
  EXPECT_FALSE(Decompress("not zstandard", "f", 1 << 20));
  EXPECT_FALSE(ReadData("/nonexistent/trace.csv"));
}

std::string TarEntry(const std::string& name, const std::string& content) {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  char size[12];
  std::snprintf(size, sizeof size, "%011o", static_cast<unsigned>(content.size()));
  header.replace(124, 11, size, 11);
  header[156] = '0';
  header.replace(257, 5, "ustar");
  std::string body = content;
  body.resize((content.size() + 511) / 512 * 512, '\0');
  return header + body;
}

TEST(Archive, ReadsTar) {
  const std::string tar = TarEntry("a/x.txt", "hello") + TarEntry("b.txt", std::string(600, 'y')) +
                          std::string(1024, '\0');
  std::vector<std::pair<std::string, size_t>> seen;
  const auto collect = [&](std::string_view name, std::string_view content) -> Result<> {
    seen.emplace_back(name, content.size());
    return {};
  };
  ASSERT_TRUE(ForEachFile(tar, "t", collect));
  EXPECT_EQ(seen, (std::vector<std::pair<std::string, size_t>>{{"a/x.txt", 5}, {"b.txt", 600}}));
  EXPECT_FALSE(ForEachFile(tar.substr(0, 1700), "t", collect));
  EXPECT_FALSE(ForEachFile(std::string(512, 'z'), "t", collect));
}

TEST(Trace, ReadsAzureAndNamesWhatIsWrong) {
  const std::string head = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
  const auto trace = ParseAzureTrace(
      head + "2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:05.0,3180,0\n", "a.csv");
  ASSERT_TRUE(trace) << trace.error().ToString();
  ASSERT_EQ(trace->requests.size(), 2u);
  EXPECT_EQ(trace->requests[0].prompt, 4808u);
  EXPECT_NEAR(trace->requests[1].time, 1.02004, 1e-4);
  EXPECT_EQ(trace->requests[1].output, 1u) << "an answer has a token";
  const auto where = [&](const std::string& text) {
    const auto bad = ParseAzureTrace(text, "a.csv");
    return bad ? std::string("ok") : bad.error().ToString();
  };
  EXPECT_NE(where("TIMESTAMP,Context\n").find("ContextTokens"), std::string::npos);
  EXPECT_NE(where(head + "2023-11-16 18:17:03,x,1\n").find("a.csv:2: ContextTokens"),
            std::string::npos);
  EXPECT_NE(where(head + "yesterday,1,1\n").find("TIMESTAMP"), std::string::npos);
  EXPECT_NE(where(head + "2023-11-16 18:17:03,1\n").find("fields"), std::string::npos);
  EXPECT_NE(where(head).find("no request"), std::string::npos);
}

TEST(Trace, ReadsMooncake) {
  const auto trace = ParseMooncakeTrace(
      R"({"timestamp": 2000, "input_length": 700, "output_length": 5, "hash_ids": [0, 7]}
{"timestamp": 0, "input_length": 1, "output_length": 2, "hash_ids": []})",
      "m.jsonl");
  ASSERT_TRUE(trace) << trace.error().ToString();
  EXPECT_EQ(trace->requests[0].output, 2u) << "in the order of time";
  EXPECT_EQ(trace->requests[1].time, 2);
  EXPECT_EQ(trace->requests[1].blocks_end - trace->requests[1].blocks_begin, 2u);
  EXPECT_FALSE(ParseMooncakeTrace("{\"timestamp\": 1}", "m"));
  EXPECT_FALSE(ParseMooncakeTrace("[]", "m"));
  const auto bad = ParseMooncakeTrace(
      R"({"timestamp": 1, "input_length": 7, "output_length": 5, "hash_ids": ["a"]})", "m");
  EXPECT_EQ(bad.error().where, "m:1.hash_ids");
}

TEST(ServeGen, AddsClientsUpAndWeighsTheirLengths) {
  const std::string traces =
      TarEntry("language/m/chunk-0-trace.csv", "0,3,1,Gamma,1,1\n600,1,1,,0,0\n") +
      TarEntry("language/m/chunk-1-trace.csv", "0,1,1,,0,0\n") +
      TarEntry("language/other/chunk-1-trace.csv", "0,100,1,,0,0\n");
  const std::string lengths =
      TarEntry("language/m/chunk-0-dataset.json",
               R"({"0": {"input_tokens": "{100: 0.5, 200: 0.5}", "output_tokens": "{10: 1.0}"}})") +
      TarEntry("language/m/chunk-1-dataset.json",
               R"({"0": {"input_tokens": "{900: 1.0}", "output_tokens": "{30: 1.0}"}})");
  const auto found = ParseServeGen(traces, lengths, "language/m", "s");
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ(found->rates, (std::vector<double>{4, 1}));
  EXPECT_EQ(LengthAt(found->prompts, 0.3), 100);
  EXPECT_EQ(LengthAt(found->prompts, 0.6), 200);
  EXPECT_EQ(LengthAt(found->prompts, 0.99), 900);
  const auto unknown = ParseServeGen(traces, lengths, "language/x", "s");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("it has: language/m, language/other"), std::string::npos);
}

}  // namespace
}  // namespace jikji::twin
