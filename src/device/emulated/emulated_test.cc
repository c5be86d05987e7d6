// The emulated device: what kernels may rely on, and what it catches.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "device/emulated/emulated_device.h"
#include "device/kernel.h"
#include "device/staging.h"
#include "tensor/quant/half.h"

namespace jikji::device {
namespace {

struct Numbers {
  const float* in;
  float* out;
  int32_t count;
};

// Sums of blocks of 64, reversed through shared memory on the way.
JIKJI_KERNEL(jikji_test_sum, Numbers, 64) {
  JIKJI_SHARED(float, values, 64);
  JIKJI_SHARED(float, sums, 2);
  const uint32_t thread = ThreadX();
  values[63 - thread] = args.in[BlockX() * 64 + thread];
  SyncBlock();
  float sum = values[thread];
  for (uint32_t mask = 16; mask > 0; mask /= 2) sum += ShuffleXor(sum, mask);
  if (thread % kWarp == 0) sums[thread / kWarp] = sum;
  SyncBlock();
  if (thread == 0) args.out[BlockX()] = sums[0] + sums[1];
}

JIKJI_KERNEL(jikji_test_shared_is_poisoned, Numbers, 32) {
  JIKJI_SHARED(float, values, 32);
  args.out[BlockX() * 32 + ThreadX()] = values[ThreadX()];
  values[ThreadX()] = 1.0f;
}

JIKJI_KERNEL(jikji_test_diverged, Numbers, 32) {
  if (ThreadX() < 7) {
    SyncBlock();
  } else {
    (void)ShuffleXor(1.0f, 1);
  }
}

JIKJI_KERNEL(jikji_test_returned, Numbers, 64) {
  if (ThreadX() == 40) return;
  SyncBlock();
}

struct MatrixArgs {
  const uint16_t* a;  // [16, 16]
  const uint16_t* b;  // [16, 8]
  float* c;           // [16, 8]
  bool bf16;
};

JIKJI_KERNEL(jikji_test_mma, MatrixArgs, 32) {
  const uint32_t g = ThreadX() / 4, t = ThreadX() % 4;
  const auto pair = [](uint16_t low, uint16_t high) { return low | Pair{high} << 16; };
  Pair a[4], b[2];
  for (uint32_t p = 0; p < 4; ++p) {
    const uint16_t* from = args.a + (g + 8 * (p % 2)) * 16 + 2 * t + 8 * (p / 2);
    a[p] = pair(from[0], from[1]);
  }
  for (uint32_t p = 0; p < 2; ++p) {
    const uint16_t* from = args.b + (2 * t + 8 * p) * 8 + g;
    b[p] = pair(from[0], from[8]);
  }
  float c[4] = {0.5f, 0.5f, 0.5f, 0.5f};
  if (args.bf16) {
    MmaBf16(c, a, b);
  } else {
    MmaF16(c, a, b);
  }
  for (uint32_t i = 0; i < 4; ++i) args.c[(g + 8 * (i / 2)) * 8 + 2 * t + i % 2] = c[i];
}

template <class T>
Buffer Upload(Device& device, const std::vector<T>& values) {
  auto buffer = device.Allocate(values.size() * sizeof(T));
  EXPECT_TRUE(buffer);
  EXPECT_TRUE(device.CopyToDevice(buffer->data(), values.data(), buffer->bytes()));
  return std::move(*buffer);
}

std::vector<float> Download(Device& device, const Buffer& buffer) {
  std::vector<float> out(buffer.bytes() / sizeof(float));
  EXPECT_TRUE(device.CopyToHost(out.data(), buffer.data(), buffer.bytes()));
  return out;
}

TEST(EmulatedDevice, ThreadsMeetInWarpsAndBlocks) {
  const auto device = MakeEmulatedDevice();
  std::vector<float> in(3 * 64);
  std::iota(in.begin(), in.end(), 0.0f);
  const Buffer from = Upload(*device, in);
  const Buffer to = Upload(*device, std::vector<float>(3, -1.0f));
  ASSERT_TRUE(device->Launch(jikji_test_sum, {3, 1}, {from.As<float>(), to.As<float>(), 0}));
  EXPECT_EQ(Download(*device, to), (std::vector<float>{2016, 6112, 10208}));
}

TEST(EmulatedDevice, EveryBlockFindsItsSharedMemoryPoisoned) {
  const auto device = MakeEmulatedDevice();
  const Buffer to = Upload(*device, std::vector<float>(64, 0.0f));
  ASSERT_TRUE(device->Launch(jikji_test_shared_is_poisoned, {2, 1}, {nullptr, to.As<float>(), 0}));
  for (const float value : Download(*device, to)) EXPECT_TRUE(std::isnan(value));
}

TEST(EmulatedDevice, TellsOfThreadsThatDoNotMeet) {
  auto device = MakeEmulatedDevice();
  ASSERT_TRUE(device->Launch(jikji_test_diverged, {}, {}));
  const auto diverged = device->Synchronize();
  ASSERT_FALSE(diverged);
  EXPECT_EQ(diverged.error().where, "jikji_test_diverged");
  EXPECT_EQ(diverged.error().message, "block 0, 0: threads 0 and 7 meet at different places");
  // As a chip does: one wrong launch, and the device answers nothing more.
  EXPECT_FALSE(device->Synchronize());
  device = MakeEmulatedDevice();
  ASSERT_TRUE(device->Launch(jikji_test_returned, {}, {}));
  const auto returned = device->Synchronize();
  ASSERT_FALSE(returned);
  EXPECT_EQ(returned.error().message, "block 0, 0: 63 threads wait for some that have returned");
}

TEST(EmulatedDevice, MultipliesFragmentsAsThePtxIsaLaysThemOut) {
  const auto device = MakeEmulatedDevice();
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (const bool bf16 : {false, true}) {
    std::vector<uint16_t> a(256), b(128);
    for (auto* values : {&a, &b}) {
      for (uint16_t& value : *values) {
        value = bf16 ? F32ToBF16(normal(random)) : F32ToF16(normal(random));
      }
    }
    const Buffer a_on = Upload(*device, a), b_on = Upload(*device, b);
    const Buffer c_on = Upload(*device, std::vector<float>(128));
    ASSERT_TRUE(device->Launch(jikji_test_mma, {},
                               {a_on.As<uint16_t>(), b_on.As<uint16_t>(), c_on.As<float>(), bf16}));
    const std::vector<float> c = Download(*device, c_on);
    const auto value = [&](uint16_t bits) { return bf16 ? BF16ToF32(bits) : F16ToF32(bits); };
    for (size_t m = 0; m < 16; ++m) {
      for (size_t n = 0; n < 8; ++n) {
        double wanted = 0.5;
        for (size_t k = 0; k < 16; ++k) {
          wanted += static_cast<double>(value(a[m * 16 + k])) * value(b[k * 8 + n]);
        }
        EXPECT_NEAR(c[m * 8 + n], wanted, 1e-5) << m << " " << n;
      }
    }
  }
}

TEST(EmulatedDevice, MemoryIsCountedAndComesPoisoned) {
  const auto device = MakeEmulatedDevice({.memory_bytes = 1000});
  {
    auto first = device->Allocate(600);
    ASSERT_TRUE(first);
    std::vector<uint8_t> bytes(600);
    ASSERT_TRUE(device->CopyToHost(bytes.data(), first->data(), 600));
    EXPECT_EQ(bytes, std::vector<uint8_t>(600, 0xFF));
    const auto second = device->Allocate(401);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kResourceExhausted);
    EXPECT_EQ(device->memory()->free_bytes, 400u);
  }
  EXPECT_TRUE(device->Allocate(1000));
}

TEST(EmulatedDevice, AGraphIsItsLaunchesWithTheirArguments) {
  const auto device = MakeEmulatedDevice();
  const Buffer in = Upload(*device, std::vector<float>(64, 1.0f));
  const Buffer first = Upload(*device, std::vector<float>(1)),
               second = Upload(*device, std::vector<float>(1));
  const auto graph = device->Record([&]() -> Result<> {
    for (const Buffer* to : {&first, &second}) {
      const Numbers args{in.As<float>(), to->As<float>(), 0};
      JIKJI_RETURN_IF_ERROR(device->Launch(jikji_test_sum, {}, args));
    }
    return {};
  });
  ASSERT_TRUE(graph);
  EXPECT_EQ(Download(*device, second)[0], 0.0f);
  for (const float value : {2.0f, 3.0f}) {
    const std::vector<float> values(64, value);
    ASSERT_TRUE(device->CopyToDevice(in.data(), values.data(), in.bytes()));
    ASSERT_TRUE(device->Launch(**graph));
    EXPECT_EQ(Download(*device, first)[0], 64 * value);
    EXPECT_EQ(Download(*device, second)[0], 64 * value);
  }
  // Nothing but launches, and the device is as before.
  EXPECT_FALSE(device->Record([&] { return device->Synchronize(); }));
  EXPECT_TRUE(device->Synchronize());
}

TEST(EmulatedDevice, CopiesFromMemoryForTheDeviceWaitForTheirMark) {
  const auto device = MakeEmulatedDevice();
  auto from = device->AllocateHost(sizeof(float));
  ASSERT_TRUE(from);
  auto& value = *from->As<float>();
  const Buffer to = Upload(*device, std::vector<float>(3));
  const auto copy = [&](int index) {
    EXPECT_TRUE(device->CopyToDevice(to.data() + index * 4, from->data(), 4));
  };
  EXPECT_TRUE(device->Wait(0));
  value = 1;
  copy(0);
  EXPECT_TRUE(device->Mark(0));
  copy(1);
  EXPECT_TRUE(device->Wait(0));
  value = 2;  // too early for the second copy
  copy(2);
  EXPECT_EQ(Download(*device, to), (std::vector<float>{1, 2, 2}));
}

TEST(EmulatedDevice, KernelsAndCopiesBackAreDoneWhenTheyAreWaitedFor) {
  int launches = 0;
  const auto device = MakeEmulatedDevice({.healthy = [&](std::string_view) {
    ++launches;
    return true;
  }});
  auto back = device->AllocateHost(sizeof(float));
  ASSERT_TRUE(back);
  float& value = *back->As<float>();
  value = 5;
  const Buffer in = Upload(*device, std::vector<float>(64, 1.0f));
  const Buffer to = Upload(*device, std::vector<float>(1));
  const Numbers args{in.As<float>(), to.As<float>(), 0};
  for (size_t mark = 0; mark < 2; ++mark) {
    ASSERT_TRUE(device->Launch(jikji_test_sum, {}, args));
    ASSERT_TRUE(device->StartCopyToHost(back->data(), to.data(), sizeof(float)));
    ASSERT_TRUE(device->Mark(mark));
  }
  EXPECT_EQ(launches, 0);
  EXPECT_TRUE(std::isnan(value));
  ASSERT_TRUE(device->Wait(0));
  EXPECT_EQ(launches, 1);
  EXPECT_EQ(value, 64.0f);
  ASSERT_TRUE(device->Wait(0));
  EXPECT_EQ(launches, 1);
  ASSERT_TRUE(device->Wait(1));
  EXPECT_EQ(launches, 2);
}

TEST(EmulatedDevice, PiecesOfStagingTakeTurns) {
  const auto device = MakeEmulatedDevice();
  auto staging = Staging::Create(*device, sizeof(float));
  ASSERT_TRUE(staging);
  const Buffer to = Upload(*device, std::vector<float>(7));
  std::vector<float> wanted;
  for (size_t i = 0; i < 7; ++i) {
    auto piece = staging->Next();
    ASSERT_TRUE(piece);
    wanted.push_back(static_cast<float>(i) + 1);
    std::memcpy(*piece, &wanted.back(), sizeof(float));
    ASSERT_TRUE(device->CopyToDevice(to.data() + i * sizeof(float), *piece, sizeof(float)));
    ASSERT_TRUE(staging->Sent());
  }
  EXPECT_EQ(Download(*device, to), wanted);
}

TEST(EmulatedDevice, ALostDeviceSaysSoFromThenOn) {
  int launches = 0;
  const auto device =
      MakeEmulatedDevice({.healthy = [&](std::string_view) { return ++launches < 2; }});
  const Buffer to = Upload(*device, std::vector<float>(32));
  const Numbers args{nullptr, to.As<float>(), 0};
  EXPECT_TRUE(device->Launch(jikji_test_shared_is_poisoned, {}, args));
  EXPECT_TRUE(device->Synchronize());
  EXPECT_TRUE(device->Launch(jikji_test_shared_is_poisoned, {}, args));
  const auto lost = device->Synchronize();
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(device->Launch(jikji_test_shared_is_poisoned, {}, args));
}

}  // namespace
}  // namespace jikji::device
