// Runs one block of a kernel: its threads as fibers, in the order of their numbers, each until all
// of its warp or block must meet.
//
// Contract: what breaks kernel.h's contract (threads that meet at different places, or wait for one
// that has returned) is an error that says where, not a hang.
#ifndef JIKJI_DEVICE_EMULATED_BLOCK_H_
#define JIKJI_DEVICE_EMULATED_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "device/emulated/fiber.h"

namespace jikji::device {

class Block {
 public:
  Block();

  // `body` is called with `args` by each of `threads` threads.
  Result<> Run(void (*body)(const void*), const void* args, uint32_t threads, uint32_t x,
               uint32_t y);

  // For thread.h, on the thread that runs Run:
  struct Position {
    uint32_t thread = 0, x = 0, y = 0;
    uint64_t serial = 0;
  };
  static Position& Here();
  enum class Meeting : uint8_t { kNone, kBlock, kShuffle, kMmaBf16, kMmaF16 };
  // What a lane brings to a meeting, and takes from it.
  struct Lane {
    Meeting meeting = Meeting::kNone;
    uint32_t in[6] = {};
    float c[4] = {};
    uint32_t out = 0;
  };
  // The current thread's, to be filled before Meet.
  static Lane& MyLane();
  // Comes back when all have come.
  static void Meet(Meeting meeting);

 private:
  void Complete(uint32_t first, uint32_t count);

  static constexpr size_t kStackBytes = 64 << 10;
  static constexpr uint32_t kMostThreads = 1024;

  std::unique_ptr<std::byte[]> stacks_;
  std::vector<Fiber> fibers_;
  std::vector<Lane> lanes_;
  std::vector<uint32_t> arrived_;  // of each warp
  uint32_t arrived_block_ = 0;
  uint32_t threads_ = 0;
  void (*body_)(const void*) = nullptr;
  const void* args_ = nullptr;
  std::string broken_;
};

}  // namespace jikji::device

#endif  // JIKJI_DEVICE_EMULATED_BLOCK_H_
