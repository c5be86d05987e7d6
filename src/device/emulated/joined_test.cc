// Emulated devices that were joined, a thread for each: what a gather brings, alone and in a graph,
// and that the loss of one ends it for all.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "device/emulated/emulated_device.h"

namespace jikji::device {
namespace {

struct AddArgs {
  float* x;
  float value;
};
JIKJI_KERNEL(jikji_test_add, AddArgs, 32) { args.x[ThreadX()] += args.value; }

constexpr size_t kValues = 32;
constexpr uint64_t kBytes = kValues * sizeof(float);

// `body` of every rank, each on a thread; what each came back with.
std::vector<Result<>> OnEach(size_t ranks, const std::function<Result<>(size_t rank)>& body) {
  std::vector<Result<>> results(ranks);
  {
    std::vector<std::jthread> threads;
    for (size_t rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] { results[rank] = body(rank); });
    }
  }
  return results;
}

TEST(JoinedDevices, EachGetsWhatAllHaveAgainAndAgain) {
  for (const size_t ranks : {1u, 2u, 4u}) {
    const auto devices = MakeJoinedDevices(ranks);
    std::vector<std::vector<float>> got(ranks);
    const auto results = OnEach(ranks, [&](size_t rank) -> Result<> {
      Device& device = *devices[rank];
      JIKJI_ASSIGN(const Buffer from, device.Allocate(kBytes));
      JIKJI_ASSIGN(const Buffer to, device.Allocate(ranks * kBytes));
      const std::vector<float> values(kValues, static_cast<float>(rank));
      JIKJI_RETURN_IF_ERROR(device.CopyToDevice(from.data(), values.data(), kBytes));
      const auto step = [&]() -> Result<> {
        JIKJI_RETURN_IF_ERROR(device.Launch(jikji_test_add, {}, AddArgs{from.As<float>(), 10.0f}));
        return device.AllGather(from.data(), to.data(), kBytes);
      };
      JIKJI_RETURN_IF_ERROR(step());
      JIKJI_ASSIGN(const auto graph, device.Record(step));
      for (int i = 0; i < 20; ++i) JIKJI_RETURN_IF_ERROR(device.Launch(*graph));
      got[rank].resize(ranks * kValues);
      return device.CopyToHost(got[rank].data(), to.data(), ranks * kBytes);
    });
    for (size_t rank = 0; rank < ranks; ++rank) {
      ASSERT_TRUE(results[rank]) << results[rank].error().ToString();
      for (size_t i = 0; i < ranks * kValues; ++i) {
        ASSERT_EQ(got[rank][i], static_cast<float>(i / kValues) + 210.0f) << rank << " " << i;
      }
    }
  }
}

TEST(JoinedDevices, OneThatLeavesEndsTheWaitOfTheOthers) {
  // The last one is lost at its third gather, while the others wait for it.
  constexpr size_t kRanks = 3;
  int gathers = 0;
  const auto devices = MakeJoinedDevices(kRanks, [&](size_t rank) {
    return EmulatedOptions{.healthy = [&gathers, rank](std::string_view act) {
      return rank + 1 < kRanks || act != "AllGather" || ++gathers < 3;
    }};
  });
  std::vector<int> done(kRanks);
  const auto results = OnEach(kRanks, [&](size_t rank) -> Result<> {
    Device& device = *devices[rank];
    JIKJI_ASSIGN(const Buffer from, device.Allocate(kBytes));
    JIKJI_ASSIGN(const Buffer to, device.Allocate(kRanks * kBytes));
    for (;; ++done[rank]) {
      auto gathered = device.AllGather(from.data(), to.data(), kBytes);
      if (gathered) gathered = device.Synchronize();
      if (gathered) continue;
      device.Leave();
      return gathered;
    }
  });
  EXPECT_EQ(done, std::vector<int>(kRanks, 2));
  for (size_t rank = 0; rank < kRanks; ++rank) {
    ASSERT_FALSE(results[rank]);
    EXPECT_EQ(results[rank].error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(results[rank].error().message.find("a device that this one computes with") == 0,
              rank + 1 < kRanks)
        << results[rank].error().message;
    // And nothing later is waited for.
    EXPECT_FALSE(devices[rank]->Synchronize());
  }
}

TEST(JoinedDevices, GathersOfDifferentLengthsAreAnErrorOfAll) {
  const auto devices = MakeJoinedDevices(2);
  const auto results = OnEach(2, [&](size_t rank) -> Result<> {
    JIKJI_ASSIGN(const Buffer from, devices[rank]->Allocate(kBytes));
    JIKJI_ASSIGN(const Buffer to, devices[rank]->Allocate(2 * kBytes));
    JIKJI_RETURN_IF_ERROR(devices[rank]->AllGather(from.data(), to.data(), rank == 0 ? 4 : 8));
    return devices[rank]->Synchronize();
  });
  for (const auto& result : results) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kInternal);
  }
}

TEST(JoinedDevices, OneThatWasJoinedWithNoneGathersNothing) {
  const auto device = MakeEmulatedDevice();
  const auto gathered = device->AllGather(nullptr, nullptr, 0);
  ASSERT_FALSE(gathered);
  EXPECT_EQ(gathered.error().code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace jikji::device
