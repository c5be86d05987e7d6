#include "twin/simulation.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <numeric>

#include "base/test_rounds.h"

namespace jikji::twin {
namespace {

SiteModel SmallModel(int32_t nodes = 16) {
  SiteModel model;
  model.nodes = nodes;
  model.gpu = {.idle_w = 136, .floor_w = 200, .decode_w = 370, .prefill_w = 690, .limit_w = 700};
  model.other_w = 4600;
  model.rack_limit_w = 40'800;
  model.engine.step = {.base_s = 0.008, .sequence_s = 5e-5, .context_s = 2e-8, .prompt_s = 2.5e-5};
  model.engine.kv_tokens = 500'000;
  model.tariff.energy_won = {{{100, 150, 200}, {100, 150, 200}, {100, 150, 200}}};
  return model;
}

std::unique_ptr<Workload> Requests(double rate, double seconds, uint64_t seed = 1) {
  const Lengths lengths = TypicalLengths();
  return Synthetic({.requests_per_second = rate,
                    .seconds = seconds,
                    .prompts = lengths.prompts,
                    .outputs = lengths.outputs,
                    .seed = seed});
}

SiteReport Simulated(const SiteModel& model, double rate, double seconds, uint64_t seed = 1) {
  const auto workload = Requests(rate, seconds, seed);
  auto report = Simulate(model, *workload, {.seconds = seconds, .seed = seed});
  EXPECT_TRUE(report) << report.error().ToString();
  return *std::move(report);
}

int64_t Sum(const SiteReport& report, int64_t ClassReport::*field) {
  int64_t sum = 0;
  for (const ClassReport& each : report.classes) sum += each.*field;
  return sum;
}

TEST(Simulation, IsTheSameForTheSameSeed) {
  SiteModel model = SmallModel();
  model.failures_per_gpu_year = 200;  // some within the hour
  const SiteReport a = Simulated(model, 40, 1800, 3);
  const SiteReport b = Simulated(model, 40, 1800, 3);
  const SiteReport c = Simulated(model, 40, 1800, 4);
  EXPECT_EQ(a.requests, b.requests);
  EXPECT_EQ(a.energy_kwh, b.energy_kwh);
  EXPECT_EQ(a.cached_tokens, b.cached_tokens);
  EXPECT_EQ(a.node_failures, b.node_failures);
  EXPECT_GT(a.node_failures, 0);
  EXPECT_NE(a.energy_kwh, c.energy_kwh);
}

TEST(Simulation, EveryRequestHasOneEnd) {
  for (uint64_t seed = 1; seed <= static_cast<uint64_t>(TestRounds(12)); ++seed) {
    SiteModel model = SmallModel();
    model.failures_per_gpu_year = seed % 2 == 0 ? 2000 : 0;
    model.megawatts = seed % 3 == 0 ? 0.05 : 0;  // too little for all
    model.spare_nodes = static_cast<int32_t>(seed % 3);
    model.events = {{SiteEvent::Kind::kFeedLoss, 0.1, 0.1, 1, 0},
                    {SiteEvent::Kind::kRackFailure, 0.15, 0.1, 2, 0},
                    {SiteEvent::Kind::kDemandResponse, 0.2, 0.1, 0, 0.3}};
    model.route.policy = static_cast<fleet::RoutePolicy>(seed % 6);
    const SiteReport report = Simulated(model, 60, 1800, seed);
    EXPECT_TRUE(report.Balanced()) << seed;
    EXPECT_EQ(report.steps_over, 0) << seed;
    EXPECT_GT(Sum(report, &ClassReport::offered), 90'000);
    EXPECT_GT(Sum(report, &ClassReport::finished), 5'000) << seed;
  }
}

TEST(Simulation, AnUncontrolledSiteExceedsWhatAControlledOneKeeps) {
  SiteModel model = SmallModel();
  model.megawatts = 0.12;
  model.events = {{SiteEvent::Kind::kDemandResponse, 0.1, 0.3, 0, 0.25}};
  const SiteReport kept = Simulated(model, 60, 1800);
  model.controlled = false;
  const SiteReport exceeded = Simulated(model, 60, 1800);
  EXPECT_EQ(kept.steps_over, 0);
  EXPECT_GT(exceeded.steps_over, 0);
  EXPECT_LT(kept.energy_kwh, exceeded.energy_kwh);
}

TEST(Simulation, ACallIsObeyedWithinItsNotice) {
  SiteModel model = SmallModel();
  model.megawatts = 0.2;  // more than it ever draws
  SiteEvent call = {
      .kind = SiteEvent::Kind::kDemandResponse, .at_hour = 0.1, .hours = 0.3, .amount = 0.55};
  call.notice_s = 30;
  model.events = {call};
  const SiteReport kept = Simulated(model, 60, 1800);
  EXPECT_EQ(kept.steps_over, 0);
  EXPECT_GT(kept.slowest_call_s, 0);
  EXPECT_LE(kept.slowest_call_s, 30);
  // Nobody obeys: over for all of the call but its notice, which is three steps.
  model.controlled = false;
  const SiteReport ignored = Simulated(model, 60, 1800);
  EXPECT_GT(ignored.slowest_call_s, 1000);
  model.events[0].notice_s = 0;
  const SiteReport at_once = Simulated(model, 60, 1800);
  EXPECT_LT(at_once.peak_mw, model.megawatts);
  EXPECT_EQ(at_once.steps_over - ignored.steps_over, 3);
}

TEST(Simulation, ASiteWithWorkToSpareRefusesNobodyDuringACall) {
  SiteModel model = SmallModel();
  model.failures_per_gpu_year = 0;
  model.megawatts = 0.12;
  model.events = {{SiteEvent::Kind::kDemandResponse, 0.1, 0.3, 0, 0.25}};
  const SiteReport light = Simulated(model, 4, 1800);
  EXPECT_EQ(Sum(light, &ClassReport::refused), 0);
  EXPECT_EQ(light.steps_over, 0);
}

TEST(Simulation, ALoneRequestTakesWhatTheStepModelSays) {
  SiteModel model = SmallModel(1);
  model.controlled = false;
  model.failures_per_gpu_year = 0;
  model.engine.request_s = 0.007;
  Trace trace;
  trace.requests = {{.time = 0, .prompt = 1000, .output = 101}};
  trace.seconds = 1e6;
  const auto workload = Replay(trace, {.seconds = 100});
  const auto report = Simulate(model, *workload, {.seconds = 100});
  ASSERT_TRUE(report);
  const ClassReport& standard = report->classes[1];
  ASSERT_EQ(standard.finished, 1);
  const StepModel& step = model.engine.step;
  EXPECT_NEAR(standard.ttft.mean(), 0.007 + step.base_s + 1000 * step.prompt_s, 1e-6);
  EXPECT_NEAR(standard.tpot.mean(), step.DecodeSeconds(1, 1001), 1e-6);
}

TEST(Simulation, ALongPromptTakesWhatItsAttentionAdds) {
  SiteModel model = SmallModel(1);
  model.controlled = false;
  model.failures_per_gpu_year = 0;
  model.engine.step.attention_s = 1e-8;
  model.route.block_tokens = 100;
  Trace trace;
  trace.blocks = {1, 2, 3, 4, 5};
  trace.requests = {{0, 1000, 1, 0, 5}, {50, 1000, 1, 0, 5}};
  trace.seconds = 1e6;
  const auto workload = Replay(trace, {.seconds = 100});
  const auto report = Simulate(model, *workload, {.seconds = 100});
  ASSERT_TRUE(report);
  // The second finds 500 tokens cached: only the later half is computed, before which the most is.
  EXPECT_EQ(report->cached_tokens, 500);
  const StepModel& step = model.engine.step;
  const double whole = step.base_s + 1000 * step.prompt_s + 1e-8 * 1000 * 500;
  const double half = step.base_s + 500 * step.prompt_s + 1e-8 * 500 * 750;
  EXPECT_NEAR(report->classes[1].ttft.mean(), (whole + half) / 2, 1e-6);
}

TEST(Simulation, PromptsSlowRunningSequencesNoMoreThanTheyMay) {
  SiteModel model = SmallModel(1);
  model.controlled = false;
  model.failures_per_gpu_year = 0;
  Trace trace;
  trace.requests = {{0, 10, 201}, {0.5, 20'000, 1}};
  trace.seconds = 1e6;
  const auto tpot = [&](double slowdown) {
    model.engine.prefill_slowdown = slowdown;
    const auto workload = Replay(trace, {.seconds = 100});
    const auto report = Simulate(model, *workload, {.seconds = 100});
    EXPECT_TRUE(report);
    EXPECT_EQ(report->classes[1].finished, 2);
    return report->classes[1].tpot.mean();
  };
  const double alone = model.engine.step.DecodeSeconds(1, 110);
  EXPECT_GT(tpot(0), 1.25 * alone) << "the prompt's chunks lengthen steps as they like";
  EXPECT_LT(tpot(1.2), 1.2 * alone);
}

TEST(Simulation, AClosedLoopReachesTheSteadyStateOfItsStepModel) {
  // Requests that come just as fast as they end keep about as many under way as Little's law says.
  SiteModel model = SmallModel(1);
  model.controlled = false;
  model.failures_per_gpu_year = 0;
  const double prompt = 512, output = 256, rate = 5;
  Trace trace;
  for (int i = 0; i < 2000; ++i) {
    trace.requests.push_back(
        {i / rate, static_cast<uint32_t>(prompt), static_cast<uint32_t>(output)});
  }
  trace.seconds = 400;
  const auto workload = Replay(trace, {.seconds = 400});
  const auto report = Simulate(model, *workload, {.seconds = 400});
  ASSERT_TRUE(report);
  const double tpot = report->classes[1].tpot.mean();
  const double under_way = rate * output * tpot;
  EXPECT_NEAR(SteadyTpot(model.engine.step, under_way, prompt, output) / tpot, 1, 0.1);
}

TEST(Simulation, CachesMakeRepeatedPromptsCheap) {
  SiteModel model = SmallModel();
  model.failures_per_gpu_year = 0;
  const SiteReport with = Simulated(model, 40, 600);
  model.cache_blocks = 0;
  const SiteReport without = Simulated(model, 40, 600);
  EXPECT_GT(with.cached_tokens, 0.2 * with.prompt_tokens);
  EXPECT_EQ(without.cached_tokens, 0);
  EXPECT_LT(with.classes[1].ttft.mean(), without.classes[1].ttft.mean());
}

TEST(Simulation, BatchWaitsForCheapHours) {
  SiteModel model = SmallModel(4);
  model.failures_per_gpu_year = 0;
  model.tariff.summer_bands.fill(fleet::Band::kLight);
  model.tariff.summer_bands[0] = fleet::Band::kPeak;
  model.batch_hours = 23;
  model.start_day = 190;  // a Monday
  const SiteReport report = Simulated(model, 2, 2 * 3600);
  ASSERT_GE(report.series.size(), 20u);
  EXPECT_GT(report.series[8].deferred_requests, 0) << "in the dear hour";
  EXPECT_EQ(report.series.back().deferred_requests, 0) << "done in the cheap one";
}

// Every number of a report, to the bit.
std::string Everything(const SiteReport& report) {
  std::string text = fmt::format(
      "{} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", report.seconds, report.requests,
      report.prompt_tokens, report.cached_tokens, report.output_tokens, report.busiest_over_mean,
      report.node_failures, report.nodes_lost, report.energy_kwh, report.energy_won, report.peak_mw,
      report.control_steps, report.steps_over, report.worst_over_mw, report.slowest_call_s);
  for (const ClassReport& each : report.classes) {
    text += fmt::format("\n{} {} {} {} {} {} {} {} {} {}", each.offered, each.finished, each.good,
                        each.refused, each.retried, each.broken, each.unfinished, each.ttft.mean(),
                        each.tpot.mean(), each.latency.Quantile(0.99));
  }
  for (const SeriesPoint& point : report.series) {
    text += fmt::format("\n{} {} {} {} {} {} {}", point.hour, point.requests_per_second,
                        point.output_tokens_per_second, point.mean_ttft_s, point.meter_mw,
                        point.active_requests, point.deferred_requests);
  }
  return text;
}

// A feed is lost and comes back, a heat wave and a call, failures, batch that waits.
SiteModel EventfulModel() {
  SiteModel model = SmallModel();
  model.spare_nodes = 2;
  model.load_seconds = 100;
  model.failures_per_gpu_year = 200;
  model.repair_hours = 0.2;
  model.megawatts = 0.14;
  model.tariff.summer_bands.fill(fleet::Band::kLight);
  model.tariff.summer_bands[0] = fleet::Band::kPeak;
  model.batch_hours = 23;
  model.events = {{.kind = SiteEvent::Kind::kFeedLoss, .at_hour = 0.2, .hours = 0.3, .index = 1},
                  {.kind = SiteEvent::Kind::kHeatWave, .at_hour = 0.1, .hours = 1, .amount = 8},
                  {.kind = SiteEvent::Kind::kDemandResponse,
                   .at_hour = 0.5,
                   .hours = 0.2,
                   .amount = 0.2,
                   .notice_s = 600}};
  return model;
}

std::unique_ptr<Workload> Replayed(double seconds) {
  Trace trace;
  for (uint32_t i = 0; i < 400; ++i) {
    trace.blocks.push_back(i / 3);
    trace.requests.push_back({i * 0.9, 600 + i % 97, 50 + i % 31, i / 2, i + 1});
  }
  trace.seconds = 360;
  return Replay(trace, {.copies = 5, .seconds = seconds, .classes = {0.2, 0.6, 0.2}});
}

TEST(Simulation, GoesOnFromItsSavedStateAsIfNothingHadBeen) {
  const SiteModel model = EventfulModel();
  const double seconds = 1.3 * 3600;
  const SimulationOptions options = {.seconds = seconds, .seed = 3};
  const std::function<std::unique_ptr<Workload>()> workloads[] = {
      [&] { return Requests(20, seconds, 3); }, [&] { return Replayed(seconds); }};
  for (const auto& workload : workloads) {
    const auto whole = Simulate(model, *workload(), options);
    ASSERT_TRUE(whole);
    ASSERT_GT(whole->node_failures, 0);
    ASSERT_GT(whole->nodes_lost, whole->node_failures);

    // Stopped again and again, each time in a new process, so to say; saved without stopping too.
    const std::filesystem::path file = testing::TempDir() + "simulation_state";
    int64_t asked = 0;
    StateKeeping keeping = {.file = file, .settings = "s", .wish = [&] {
                              ++asked;
                              return asked % 71 == 0   ? StateKeeping::Wish::kSaveAndStop
                                     : asked % 13 == 0 ? StateKeeping::Wish::kSave
                                                       : StateKeeping::Wish::kGoOn;
                            }};
    int stops = 0;
    auto report = Simulate(model, *workload(), options, {}, &keeping);
    while (!report && report.error().code == ErrorCode::kCancelled) {
      ++stops;
      keeping.resume = true;
      report = Simulate(model, *workload(), options, {}, &keeping);
    }
    std::filesystem::remove(file);
    ASSERT_TRUE(report) << report.error().ToString();
    EXPECT_EQ(stops, 6);
    EXPECT_EQ(Everything(*report), Everything(*whole));
  }
}

TEST(Simulation, RefusesWhatCannotBe) {
  const auto error = [](void (*spoil)(SiteModel&)) {
    SiteModel model = SmallModel();
    spoil(model);
    const auto workload = Requests(1, 10);
    const auto report = Simulate(model, *workload, {.seconds = 10});
    return report ? std::string("none") : report.error().where;
  };
  EXPECT_EQ(error([](SiteModel&) {}), "none");
  EXPECT_EQ(error([](SiteModel& m) { m.nodes = 0; }), "nodes");
  EXPECT_EQ(error([](SiteModel& m) { m.megawatts = -1; }), "megawatts");
  EXPECT_EQ(error([](SiteModel& m) { m.spare_nodes = 16; }), "spares");
  EXPECT_EQ(error([](SiteModel& m) { m.events = {{.index = 99}}; }), "event[0].index");
}

TEST(Simulation, AnEventMeetsAWholeFeed) {
  const std::string event = "[[event]]\nkind = \"feed_loss\"\nat_hour = 1\nhours = 1\n";
  ASSERT_TRUE(ReadSiteEvents(event, "e"));
  EXPECT_EQ(ReadSiteEvents(event + "index = 1\n", "e")->front().index, 1);
  const auto half = ReadSiteEvents(event + "index = 0.7\n", "e");
  ASSERT_FALSE(half);
  EXPECT_NE(half.error().message.find("whole number"), std::string::npos);
}

}  // namespace
}  // namespace jikji::twin
