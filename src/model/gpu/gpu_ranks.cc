#include "model/gpu/gpu_ranks.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "base/workers.h"
#include "model/gpu/gpu_decoder.h"

namespace jikji {
namespace {

class GpuRanks : public Decoder {
 public:
  explicit GpuRanks(std::vector<std::shared_ptr<device::Device>> devices)
      : devices_(std::move(devices)), ranks_(devices_.size()) {
    for (size_t rank = 1; rank < devices_.size(); ++rank) {
      threads_.push_back(std::make_unique<Workers>(1, 1));
    }
  }

  ~GpuRanks() override {
    // What a device still has to do, it does with the others.
    (void)OnEach([&](size_t rank) -> Result<> {
      ranks_[rank].reset();
      return {};
    });
  }

  Result<> Load(const std::shared_ptr<const Checkpoint>& checkpoint, const DecoderSpec& spec,
                const GpuLimits& limits, const std::function<void(double)>& progress) {
    return OnEach([&](size_t rank) -> Result<> {
      const GpuCut cut = {.rank = static_cast<int32_t>(rank),
                          .ranks = static_cast<int32_t>(devices_.size())};
      JIKJI_ASSIGN(ranks_[rank],
                   LoadGpuDecoder(devices_[rank], checkpoint, spec, limits,
                                  rank == 0 ? progress : std::function<void(double)>(), cut));
      return {};
    });
  }

  const DecoderSpec& spec() const override { return ranks_[0]->spec(); }
  bool chooses() const override { return true; }
  bool runs_ahead() const override { return true; }

  Result<int32_t> AddAdapter(const PeftAdapter& adapter) override {
    int32_t number = 0;
    for (const auto& rank : ranks_) {
      JIKJI_ASSIGN(number, rank->AddAdapter(adapter));
    }
    return number;
  }

  Result<KvCache> MakeCache(int32_t pages, int32_t page_tokens, DType dtype) override {
    std::vector<KvCache> caches;
    for (const auto& rank : ranks_) {
      JIKJI_ASSIGN(KvCache cache, rank->MakeCache(pages, page_tokens, dtype));
      caches.push_back(std::move(cache));
    }
    return KvCache::Of(std::move(caches));
  }

  Result<> Forward(const Batch& batch, KvCache& cache, std::span<float> logits,
                   ThreadPool& pool) override {
    JIKJI_RETURN_IF_ERROR(Submit(batch, cache, logits, pool));
    return Finish(batch.choices);
  }

  Result<> Submit(const Batch& batch, KvCache& cache, std::span<float> logits,
                  ThreadPool& pool) override {
    choices_.assign(ranks_.size() - 1, {batch.choices.begin(), batch.choices.end()});
    return OnEach([&](size_t rank) {
      Batch own = batch;
      if (rank > 0) own.choices = choices_[rank - 1];
      return ranks_[rank]->Submit(own, cache.OfRank(rank), logits, pool);
    });
  }

  Result<> Finish(std::span<RowChoice> choices) override {
    return OnEach([&](size_t rank) {
      return ranks_[rank]->Finish(rank == 0 ? choices : std::span<RowChoice>());
    });
  }

 private:
  // `body` of every rank, each on a thread of its own, the first on this one. Comes back when all
  // have ended, with the error that came first.
  Result<> OnEach(const std::function<Result<>(size_t rank)>& body) {
    std::mutex mutex;
    std::condition_variable ended;
    size_t running = threads_.size();
    std::optional<Error> first;
    const auto end = [&](size_t rank, const Result<>& done) {
      if (done) return;
      {
        const std::scoped_lock lock(mutex);
        if (!first) first = done.error();
      }
      // What is wrong with a batch is found by all of them, before any waits for another.
      if (done.error().code != ErrorCode::kInvalidArgument) devices_[rank]->Leave();
    };
    for (size_t rank = 1; rank < devices_.size(); ++rank) {
      const bool posted = threads_[rank - 1]->Post([&, rank] {
        end(rank, body(rank));
        const std::scoped_lock lock(mutex);
        --running;
        ended.notify_one();
      });
      if (posted) continue;
      end(rank, Fail(ErrorCode::kInternal, "a device's thread takes no work"));
      const std::scoped_lock lock(mutex);
      --running;
    }
    end(0, body(0));
    std::unique_lock lock(mutex);
    ended.wait(lock, [&] { return running == 0; });
    if (first) return std::unexpected(*std::move(first));
    return {};
  }

  std::vector<std::shared_ptr<device::Device>> devices_;
  std::vector<std::unique_ptr<Decoder>> ranks_;
  std::vector<std::vector<RowChoice>> choices_;    // of ranks from 1 on, of which nothing is read
  std::vector<std::unique_ptr<Workers>> threads_;  // of ranks from 1 on
};

}  // namespace

Result<std::unique_ptr<Decoder>> LoadGpuRanks(std::vector<std::shared_ptr<device::Device>> devices,
                                              std::shared_ptr<const Checkpoint> checkpoint,
                                              const DecoderSpec& spec, const GpuLimits& limits,
                                              const std::function<void(double)>& progress) {
  auto decoder = std::make_unique<GpuRanks>(std::move(devices));
  JIKJI_RETURN_IF_ERROR(decoder->Load(checkpoint, spec, limits, progress));
  return decoder;
}

}  // namespace jikji
