#include "kernels/gpu/choose.h"
#include "kernels/gpu/math.h"

namespace jikji::kernels::gpu {

// A block of 1024 threads has 64 registers for each: loops over a row are not unrolled.
#ifdef __CUDA__
#define JIKJI_ROLLED _Pragma("unroll 1")
#else
#define JIKJI_ROLLED
#endif

inline constexpr uint32_t kChooseWarps = kChooseThreads / device::kWarp;
inline constexpr uint32_t kDigitBits = 11;
inline constexpr uint32_t kBins = 1u << kDigitBits;

JIKJI_DEVICE uint64_t ShuffleXor64(uint64_t value, uint32_t mask) {
  const uint32_t low = device::ShuffleXor(static_cast<uint32_t>(value), mask);
  const uint32_t high = device::ShuffleXor(static_cast<uint32_t>(value >> 32), mask);
  return uint64_t{high} << 32 | low;
}

struct TakeMost {
  JIKJI_DEVICE static uint64_t Of(uint64_t a, uint64_t b) { return a > b ? a : b; }
};
struct TakeSum {
  JIKJI_DEVICE static uint64_t Of(uint64_t a, uint64_t b) { return a + b; }
};

template <class Op>
JIKJI_DEVICE uint64_t OfWarp(uint64_t value) {
  JIKJI_UNROLL
  for (uint32_t mask = 16; mask > 0; mask /= 2) value = Op::Of(value, ShuffleXor64(value, mask));
  return value;
}

// Of all threads, for all of them. `slots` is free again afterwards.
template <class Op>
JIKJI_DEVICE uint64_t OfBlock(uint64_t value, uint64_t* slots) {
  value = OfWarp<Op>(value);
  if (device::ThreadX() % device::kWarp == 0) slots[device::ThreadX() / device::kWarp] = value;
  device::SyncBlock();
  uint64_t all = slots[0];
  JIKJI_ROLLED
  for (uint32_t warp = 1; warp < kChooseWarps; ++warp) all = Op::Of(all, slots[warp]);
  device::SyncBlock();
  return all;
}

// Sums of the lanes before this one; `value` becomes that of all.
JIKJI_DEVICE uint64_t BeforeInWarp(uint64_t& value, uint32_t lane) {
  uint64_t before = 0;
  JIKJI_UNROLL
  for (uint32_t mask = 1; mask < device::kWarp; mask *= 2) {
    const uint64_t other = ShuffleXor64(value, mask);
    if ((lane & mask) != 0) before += other;
    value += other;
  }
  return before;
}

// A row as a block goes over it.
struct Row {
  const float* logits;
  int32_t vocab;
  float largest, inverse_temperature;

  JIKJI_DEVICE uint64_t Weight(uint64_t key) const {
    return TokenWeight(RankedLogit(key), largest, inverse_temperature);
  }
  // Calls `use` with the rank of each token, spread over the block.
  template <class Use>
  JIKJI_DEVICE void Each(const Use& use) const {
    JIKJI_ROLLED
    for (auto id = static_cast<int32_t>(device::ThreadX()); id < vocab;
         id += static_cast<int32_t>(kChooseThreads)) {
      use(RankKey(logits[id], id));
    }
  }
};

// What tokens are measured by, and whether a bin that measures `sum` must be cut no further: all of
// it is wanted, or it has one token alone. Past the digits of the logit a bin's tokens weigh the
// same.
struct CountTokens {
  JIKJI_DEVICE static uint64_t Of(const Row&, uint64_t) { return 1; }
  JIKJI_DEVICE static bool Whole(const Row&, uint64_t, uint32_t, uint64_t sum, uint64_t target) {
    return sum == target;
  }
};
struct SumWeights {
  JIKJI_DEVICE static uint64_t Of(const Row& row, uint64_t key) { return row.Weight(key); }
  JIKJI_DEVICE static bool Whole(const Row& row, uint64_t rank, uint32_t shift, uint64_t sum,
                                 uint64_t) {
    return shift < 32 && sum == row.Weight(rank);
  }
};

// What threads share while they choose.
struct Shared {
  uint64_t* bins;   // [kBins]
  uint64_t* slots;  // [kChooseWarps]
  uint64_t* found;  // [3]
};

// The highest rank such that the tokens of it and above, among those from `floor` on, measure
// `target` or more; `floor` where all together are less. Digit by digit: the tokens of a bin are
// those whose rank has its upper bits so far, and the bin's digit behind them.
template <class Measure>
JIKJI_DEVICE uint64_t RankReaching(const Row& row, uint64_t floor, uint64_t target,
                                   const Shared& shared) {
  const uint32_t thread = device::ThreadX();
  uint64_t upper = 0;  // bits of the rank that are known, from `shift` on
  uint32_t shift = 64;
  while (shift > 0) {
    const uint32_t bits = shift < kDigitBits ? shift : kDigitBits;
    const uint32_t next = shift - bits;
    for (uint32_t bin = thread; bin < kBins; bin += kChooseThreads) shared.bins[bin] = 0;
    device::SyncBlock();
    row.Each([&](uint64_t key) __attribute__((always_inline)) {
      if (key < floor || (shift < 64 && key >> shift != upper)) return;
      const auto digit = static_cast<uint32_t>(key >> next) & ((1u << bits) - 1);
      device::AtomicAdd(&shared.bins[digit], Measure::Of(row, key));
    });
    device::SyncBlock();
    // One warp looks from the highest bin down: a lane has the same number of bins as another.
    if (thread < device::kWarp) {
      constexpr uint32_t kEach = kBins / device::kWarp;
      const uint32_t first = kBins - 1 - thread * kEach;
      uint64_t sum = 0;
      JIKJI_ROLLED
      for (uint32_t i = 0; i < kEach; ++i) sum += shared.bins[first - i];
      uint64_t total = sum;
      uint64_t before = BeforeInWarp(total, thread);
      if (thread == 0) shared.found[0] = total < target ? 1 : 0;
      if (before < target && before + sum >= target) {
        uint32_t bin = first;
        while (before + shared.bins[bin] < target) before += shared.bins[bin--];
        shared.found[1] = bin;
        shared.found[2] = before;
      }
    }
    device::SyncBlock();
    if (shared.found[0] != 0) return floor;  // all of them, at the first digit
    upper = upper << bits | shared.found[1];
    target -= shared.found[2];
    const uint64_t of_bin = shared.bins[shared.found[1]];
    device::SyncBlock();
    shift = next;
    if (Measure::Whole(row, upper << shift, shift, of_bin, target)) break;
  }
  const uint64_t rank = upper << shift;
  return rank > floor ? rank : floor;
}

// The first token by id among those from `floor` on where the running sum of weights passes what is
// drawn. A warp has a run of the row, and one of them goes through its run a second time.
JIKJI_DEVICE int32_t DrawnToken(const Row& row, uint64_t floor, uint64_t random,
                                const Shared& shared) {
  const uint32_t warp = device::ThreadX() / device::kWarp;
  const uint32_t lane = device::ThreadX() % device::kWarp;
  constexpr auto kStride = static_cast<int32_t>(device::kWarp);
  const int32_t run = (row.vocab + static_cast<int32_t>(kChooseThreads) - 1) /
                      static_cast<int32_t>(kChooseThreads) * kStride;
  const int32_t begin = static_cast<int32_t>(warp) * run;
  const int32_t end = begin + run < row.vocab ? begin + run : row.vocab;
  const auto weight = [&](int32_t id) __attribute__((always_inline))->uint64_t {
    if (id >= end) return 0;
    const uint64_t key = RankKey(row.logits[id], id);
    return key >= floor ? row.Weight(key) : 0;
  };
  uint64_t sum = 0;
  JIKJI_ROLLED
  for (int32_t id = begin; id < end; id += kStride) sum += weight(id + static_cast<int32_t>(lane));
  sum = OfWarp<TakeSum>(sum);
  if (lane == 0) shared.slots[warp] = sum;
  device::SyncBlock();
  uint64_t total = 0, before = 0;
  JIKJI_ROLLED
  for (uint32_t i = 0; i < kChooseWarps; ++i) {
    if (i < warp) before += shared.slots[i];
    total += shared.slots[i];
  }
  const uint64_t target = DrawTarget(random, total);
  if (before <= target && target < before + sum) {  // a whole warp
    for (int32_t at = begin; at < end; at += kStride) {
      const int32_t id = at + static_cast<int32_t>(lane);
      const uint64_t own = weight(id);
      uint64_t all = own;
      const uint64_t ahead = before + BeforeInWarp(all, lane);
      if (ahead <= target && target < ahead + own) shared.found[0] = static_cast<uint64_t>(id);
      before += all;
      if (target < before) break;
    }
  }
  device::SyncBlock();
  return static_cast<int32_t>(shared.found[0]);
}

// The first in rank, and 0 where a logit is no finite number and must be.
JIKJI_DEVICE uint64_t TopRank(const Row& row, bool finite, uint64_t* slots) {
  uint64_t top = 1;
  row.Each([&](uint64_t key) __attribute__((always_inline)) {
    const auto bits = __builtin_bit_cast(uint32_t, RankedLogit(key));
    if (finite && (bits & 0x7F800000u) == 0x7F800000u) key = ~0ull;
    if (key > top) top = key;
  });
  top = OfBlock<TakeMost>(top, slots);
  return top == ~0ull ? 0 : top;
}

JIKJI_KERNEL(jikji_choose, ChooseArgs, 1024) {
  JIKJI_SHARED(uint64_t, bins, kBins);
  JIKJI_SHARED(uint64_t, slots, kChooseWarps);
  JIKJI_SHARED(uint64_t, found, 3);
  const Shared shared{bins, slots, found};
  const ChooseRow of = args.rows[device::BlockX()];
  const ChoiceParams& params = of.params;
  float* logits = args.logits + of.row * args.stride;
  Row row{logits, of.vocab, 0, params.inverse_temperature};
  int32_t* out = args.tokens + device::BlockX();
  uint64_t top = TopRank(row, true, slots);
  if (top == 0) {
    if (device::ThreadX() == 0) *out = kNotNumbers;
    return;
  }
  if (of.adjustments > 0) {
    for (auto i = static_cast<int32_t>(device::ThreadX()); i < of.adjustments;
         i += static_cast<int32_t>(kChooseThreads)) {
      const LogitAdjustment by = args.adjustments[of.first_adjustment + i];
      logits[by.token] = AdjustedLogit(logits[by.token], by, params.repetition);
    }
    device::SyncBlock();
    top = TopRank(row, false, slots);
  }
  row.largest = RankedLogit(top);
  if ((__builtin_bit_cast(uint32_t, row.largest) & 0x7F800000u) == 0x7F800000u) {
    if (device::ThreadX() == 0) *out = kNothingLeft;
    return;
  }
  if (params.inverse_temperature == 0) {
    if (device::ThreadX() == 0) *out = RankedId(top);
    return;
  }
  uint64_t floor = RankFloor(row.largest + params.floor);
  if (params.top_k > 0 && params.top_k < of.vocab) {
    floor = RankReaching<CountTokens>(row, floor, static_cast<uint64_t>(params.top_k), shared);
  }
  if (params.top_p < 1) {
    uint64_t total = 0;
    row.Each([&](uint64_t key) __attribute__((always_inline)) {
      if (key >= floor) total += row.Weight(key);
    });
    total = OfBlock<TakeSum>(total, slots);
    floor = RankReaching<SumWeights>(row, floor, NucleusTarget(params.top_p, total), shared);
  }
  const int32_t token = DrawnToken(row, floor, params.random, shared);
  if (device::ThreadX() == 0) *out = token;
}

JIKJI_KERNEL(jikji_take_chosen, TakeChosenArgs, 256) {
  const auto i = static_cast<int32_t>(device::BlockX() * kTakeChosenThreads + device::ThreadX());
  if (i >= args.count || args.tokens[i] >= 0) return;
  const int32_t chosen = args.chosen[-1 - args.tokens[i]];
  args.tokens[i] = chosen >= 0 ? chosen : 0;
}

}  // namespace jikji::kernels::gpu
