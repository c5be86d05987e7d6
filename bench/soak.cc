// A day of load in minutes: does anything stay behind?
//
//   soak [HOURS] [REQUESTS_PER_HOUR]      24 and 3600, if not given
//
// Clients of several tenants send what real ones do: shared and own beginnings, several choices,
// priorities, stop strings, scored prompts, long limits and early leavings, at a cache so small
// that pages are given up and sequences preempted all the time. The decoder computes nothing, so an
// hour of requests takes seconds. After each hour the engine is left to finish, and what it holds
// is printed. Fails where a page stays in use, a request is never ended, or the process has grown
// by more than a hundredth since the second hour.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "model/kv_cache.h"
#include "model/model.h"

namespace jikji {
namespace {

constexpr int kClients = 96;
constexpr int32_t kPages = 600;

// Each token has one likely successor and a few others: text that repeats itself now and then.
class SoakDecoder : public Decoder {
 public:
  explicit SoakDecoder(DecoderSpec spec) : spec_(std::move(spec)) {}
  const DecoderSpec& spec() const override { return spec_; }
  Result<> Forward(const Batch& batch, KvCache&, std::span<float> logits, ThreadPool&) override {
    const auto vocab = static_cast<size_t>(spec_.vocab);
    std::ranges::fill(logits, 0.0f);
    for (size_t i = 0; i < batch.logit_rows.size(); ++i) {
      auto next = static_cast<uint64_t>(batch.tokens[static_cast<size_t>(batch.logit_rows[i])]);
      for (const float logit : {14.0f, 12.0f, 10.0f}) {
        next = next * 6364136223846793005u + 1442695040888963407u;
        logits[i * vocab + (next >> 40) % vocab] = logit;
      }
    }
    return {};
  }

 private:
  DecoderSpec spec_;
};

// What is on its way.
class Load {
 public:
  explicit Load(Engine& engine) : engine_(engine) {}

  // Waits until fewer than kClients requests are on their way, then sends one more.
  void Send() {
    GenerationRequest request = Make();
    const bool leaves = random_() % 20 == 0;
    const size_t leaves_after = random_() % 50;
    std::string id = request.id;
    Admission admission;
    auto ticket = admission.Admit({.tenant = "tenant-" + std::to_string(random_() % 4),
                                   .prompt_tokens = static_cast<int64_t>(request.prompt.size()),
                                   .max_output_tokens = request.max_tokens * request.choices,
                                   .cache_salt = random_() % 10 == 0 ? "salt" : "",
                                   .priority = static_cast<int32_t>(random_() % 3)});
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return open_ < kClients; });
      open_ += request.choices;
    }
    size_t heard = 0;
    const auto sent = engine_.Submit(std::move(*ticket), std::move(request),
                                     [=, this](const Delta& delta) mutable {
                                       if (leaves && ++heard == leaves_after) engine_.Cancel(id);
                                       if (delta.finish) Ended(*delta.finish);
                                     });
    if (!sent) {
      std::fprintf(stderr, "%s\n", sent.error().ToString().c_str());
      std::exit(1);
    }
  }

  // Waits for all that was sent.
  void Drain() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_ == 0; });
  }

  std::array<int64_t, 4> ended() const {  // by FinishReason
    const std::lock_guard lock(mutex_);
    return ended_;
  }

 private:
  using Admission = LocalPolicy;

  GenerationRequest Make() {
    GenerationRequest request;
    request.id = std::to_string(++sent_);
    const auto system = static_cast<TokenId>(100 + random_() % 6);
    request.prompt.assign(random_() % 3 == 0 ? 0 : 100 + system * 2, system);
    for (size_t own = 1 + random_() % 200; own > 0; --own) {
      request.prompt.push_back(static_cast<TokenId>(random_() % 4000));
    }
    request.choices = random_() % 12 == 0 ? 3 : 1;
    // Some name no limit: what is left of the context.
    request.max_tokens = random_() % 4 == 0 ? 1024 : 1 + static_cast<int64_t>(random_() % 160);
    request.stop_ids = {1, 5};
    request.ignore_eos = random_() % 8 == 0;
    if (random_() % 4 == 0) request.stop = {"다.", "가"};
    request.logprobs = random_() % 8 == 0 ? 2 : -1;
    request.prompt_logprobs = random_() % 40 == 0 ? 0 : -1;
    request.sampling.temperature = random_() % 2 == 0 ? 0 : 0.8;
    if (random_() % 6 == 0) request.sampling.repetition_penalty = 1.1;
    request.sampling.seed = random_();
    // Ends by itself in the end: what repeats becomes ever less likely.
    if (request.max_tokens == 1024) request.sampling.frequency_penalty = 0.5;
    return request;
  }

  void Ended(FinishReason reason) {
    const std::lock_guard lock(mutex_);
    ++ended_[static_cast<size_t>(reason)];
    --open_;
    changed_.notify_all();
  }

  Engine& engine_;
  std::mt19937 random_{1};
  int64_t sent_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int open_ = 0;
  std::array<int64_t, 4> ended_{};
};

double ResidentMebibytes() {
  int64_t size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return static_cast<double>(resident * sysconf(_SC_PAGESIZE)) / (1 << 20);
}

int Run(int hours, int requests) {
  // This decoder writes no keys and values: pages of the cache would be touched one by one, as they
  // are copied, and look like growth. Locked, all of it is there from the start.
  if (mlockall(MCL_FUTURE) != 0) {
    std::perror("cannot lock memory (ulimit -l)");
    return 1;
  }
  auto model = LoadModel(JIKJI_SOURCE_DIR "/models/jikji-mini-ko");
  if (!model) return 1;
  model->decoder = std::make_unique<SoakDecoder>(model->decoder->spec());
  EngineOptions options;
  options.threads = 1;
  options.max_queued = kClients;
  options.kv_bytes =
      kPages * KvCache::PageBytes(model->description.spec, options.page_tokens, options.kv_dtype);
  auto engine = Engine::Start(std::move(*model), options);
  if (!engine) {
    std::fprintf(stderr, "%s\n", engine.error().ToString().c_str());
    return 1;
  }
  Load load(**engine);
  const double start = ResidentMebibytes();
  double settled = start;
  std::printf("hour   ended cancelled preempted  hits %%  drafts right %%  pages in use     MiB\n");
  for (int hour = 1; hour <= hours; ++hour) {
    for (int i = 0; i < requests; ++i) load.Send();
    load.Drain();
    const auto ended = load.ended();
    const EngineStats stats = (*engine)->stats();
    const auto share = [](int64_t part, int64_t whole) {
      return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    };
    const double resident = ResidentMebibytes();
    if (hour <= 2) settled = resident;
    std::printf("%4d %7ld %9ld %9ld %7.1f %15.1f %13ld %7.1f\n", hour,
                static_cast<long>(ended[0] + ended[1]), static_cast<long>(ended[2]),
                static_cast<long>(stats.preemptions),
                share(stats.prefix_hits, stats.prefix_queries),
                share(stats.accepted_tokens, stats.draft_tokens),
                static_cast<long>(stats.pages_used), resident);
    std::fflush(stdout);
    if (stats.pages_used != 0 || stats.running != 0 || stats.waiting != 0 || ended[3] != 0) {
      std::printf("FAILED: something stayed behind, or ended in an error\n");
      return 1;
    }
  }
  const double end = ResidentMebibytes();
  std::printf("memory: %.1f MiB after two hours, %.1f at the end\n", settled, end);
  if (end > settled * 1.01 + 1) {
    std::printf("FAILED: the process has grown\n");
    return 1;
  }
  std::printf("nothing stayed behind\n");
  return 0;
}

}  // namespace
}  // namespace jikji

int main(int argc, char** argv) {
  return jikji::Run(argc > 1 ? std::atoi(argv[1]) : 24, argc > 2 ? std::atoi(argv[2]) : 3600);
}
