#include "device/emulated/block.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "device/kernel.h"
#include "tensor/quant/half.h"

namespace jikji::device {
namespace {

thread_local Block* running = nullptr;
thread_local Block::Position here;

float Half(uint32_t pair, uint32_t index, bool bf16) {
  const auto bits = static_cast<uint16_t>(pair >> (16 * index));
  return bf16 ? BF16ToF32(bits) : F16ToF32(bits);
}

// mma.m16n8k16 as the PTX ISA lays out its fragments: pair p of a is row g + 8 · (p % 2), column
// 2t + 8 · (p / 2); pair p of b is row 2t + 8p of column g; value i of c is row g + 8 · (i / 2),
// column 2t + i % 2. Sums run in order of k, rounded at every step; a chip's are not wider by much.
void MultiplyFragments(Block::Lane* lanes, bool bf16) {
  float a[16][16], b[16][8];
  for (uint32_t lane = 0; lane < kWarp; ++lane) {
    const uint32_t g = lane / 4, t = lane % 4;
    for (uint32_t e = 0; e < 2; ++e) {
      for (uint32_t p = 0; p < 4; ++p) {
        a[g + 8 * (p % 2)][2 * t + 8 * (p / 2) + e] = Half(lanes[lane].in[p], e, bf16);
      }
      for (uint32_t p = 0; p < 2; ++p)
        b[2 * t + 8 * p + e][g] = Half(lanes[lane].in[4 + p], e, bf16);
    }
  }
  float c[16][8];
  for (uint32_t lane = 0; lane < kWarp; ++lane) {
    const uint32_t g = lane / 4, t = lane % 4;
    for (uint32_t i = 0; i < 4; ++i) c[g + 8 * (i / 2)][2 * t + i % 2] = lanes[lane].c[i];
  }
  for (auto& row : c) {
    const float* a_row = a[&row - c];
    for (uint32_t k = 0; k < 16; ++k) {
      for (uint32_t n = 0; n < 8; ++n) row[n] += a_row[k] * b[k][n];  // products are exact
    }
  }
  for (uint32_t lane = 0; lane < kWarp; ++lane) {
    const uint32_t g = lane / 4, t = lane % 4;
    for (uint32_t i = 0; i < 4; ++i) lanes[lane].c[i] = c[g + 8 * (i / 2)][2 * t + i % 2];
  }
}

}  // namespace

Block::Block() : stacks_(new std::byte[kStackBytes * kMostThreads]) {
  fibers_.reserve(kMostThreads);
  for (uint32_t i = 0; i < kMostThreads; ++i) {
    fibers_.emplace_back(stacks_.get() + i * kStackBytes, kStackBytes);
  }
}

Block::Position& Block::Here() { return here; }
Block::Lane& Block::MyLane() { return running->lanes_[here.thread]; }

Result<> Block::Run(void (*body)(const void*), const void* args, uint32_t threads, uint32_t x,
                    uint32_t y) {
  if (threads == 0 || threads > kMostThreads || threads % kWarp != 0) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a block of {} threads; 32 to 1024 in whole warps", threads));
  }
  running = this;
  here = {.x = x, .y = y, .serial = here.serial + 1};
  threads_ = threads;
  body_ = body;
  args_ = args;
  broken_.clear();
  lanes_.assign(threads, {});
  arrived_.assign(threads / kWarp, 0);
  arrived_block_ = 0;
  for (uint32_t i = 0; i < threads; ++i) {
    fibers_[i].Start([] { running->body_(running->args_); });
  }
  uint32_t left = threads;
  while (left > 0) {
    bool moved = false;
    for (uint32_t i = 0; i < threads; ++i) {
      if (fibers_[i].done() || lanes_[i].meeting != Meeting::kNone) continue;
      here.thread = i;
      fibers_[i].Resume();
      if (!broken_.empty()) return Fail(ErrorCode::kInternal, broken_);
      moved = true;
      if (fibers_[i].done()) --left;
    }
    if (!moved) {
      return Fail(
          ErrorCode::kInternal,
          fmt::format("block {}, {}: {} threads wait for some that have returned", x, y, left));
    }
  }
  return {};
}

void Block::Meet(Meeting meeting) {
  Block& block = *running;
  const uint32_t thread = here.thread;
  block.lanes_[thread].meeting = meeting;
  const bool whole = meeting == Meeting::kBlock;
  const uint32_t first = whole ? 0 : thread / kWarp * kWarp;
  const uint32_t count = whole ? block.threads_ : kWarp;
  uint32_t& arrived = whole ? block.arrived_block_ : block.arrived_[thread / kWarp];
  if (++arrived == count) {
    arrived = 0;
    block.Complete(first, count);
    // The last to come goes on at once.
    return;
  }
  const uint32_t warp = thread / kWarp * kWarp;
  for (uint32_t i = warp; i < warp + kWarp; ++i) {
    const Meeting other = block.lanes_[i].meeting;
    if (other != Meeting::kNone && other != meeting) {
      block.broken_ = fmt::format("block {}, {}: threads {} and {} meet at different places",
                                  here.x, here.y, i, thread);
      break;
    }
  }
  Fiber::Yield();
}

void Block::Complete(uint32_t first, uint32_t count) {
  Lane* lanes = &lanes_[first];
  switch (lanes[0].meeting) {
    case Meeting::kShuffle:
      for (uint32_t i = 0; i < count; ++i) lanes[i].out = lanes[i ^ (lanes[i].in[1] % kWarp)].in[0];
      break;
    case Meeting::kMmaBf16:
    case Meeting::kMmaF16:
      MultiplyFragments(lanes, lanes[0].meeting == Meeting::kMmaBf16);
      break;
    case Meeting::kBlock:
    case Meeting::kNone:
      break;
  }
  for (uint32_t i = 0; i < count; ++i) lanes[i].meeting = Meeting::kNone;
}

uint32_t ThreadX() { return here.thread; }
uint32_t BlockX() { return here.x; }
uint32_t BlockY() { return here.y; }
uint64_t BlockSerial() { return here.serial; }

void SyncBlock() { Block::Meet(Block::Meeting::kBlock); }

uint32_t ShuffleXor(uint32_t value, uint32_t lane_mask) {
  Block::Lane& lane = Block::MyLane();
  lane.in[0] = value;
  lane.in[1] = lane_mask;
  Block::Meet(Block::Meeting::kShuffle);
  return lane.out;
}

namespace {

void Multiply(Block::Meeting meeting, float (&c)[4], const Pair (&a)[4], const Pair (&b)[2]) {
  Block::Lane& lane = Block::MyLane();
  std::copy_n(a, 4, lane.in);
  std::copy_n(b, 2, lane.in + 4);
  std::copy_n(c, 4, lane.c);
  Block::Meet(meeting);
  std::copy_n(lane.c, 4, c);
}

}  // namespace

void MmaBf16(float (&c)[4], const Pair (&a)[4], const Pair (&b)[2]) {
  Multiply(Block::Meeting::kMmaBf16, c, a, b);
}
void MmaF16(float (&c)[4], const Pair (&a)[4], const Pair (&b)[2]) {
  Multiply(Block::Meeting::kMmaF16, c, a, b);
}

float F16Value(uint16_t bits) { return F16ToF32(bits); }
Pair PackF16(float low, float high) { return F32ToF16(low) | Pair{F32ToF16(high)} << 16; }
Pair PackBf16(float low, float high) { return F32ToBF16(low) | Pair{F32ToBF16(high)} << 16; }
Pair AddBf16(Pair a, Pair b) {
  return PackBf16(Half(a, 0, true) + Half(b, 0, true), Half(a, 1, true) + Half(b, 1, true));
}
Pair MulF16(Pair a, Pair b) {
  return PackF16(Half(a, 0, false) * Half(b, 0, false), Half(a, 1, false) * Half(b, 1, false));
}

}  // namespace jikji::device
