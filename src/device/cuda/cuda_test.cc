// The driver's loader and the device's errors, with a mock of the driver (tests/gpu): no GPU here.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "device/cuda/cuda_device.h"

namespace jikji::device::cuda {
namespace {

struct NoArgs {
  int nothing;
};
const Kernel<NoArgs> kMock{"jikji_mock", 32, nullptr};
const Kernel<NoArgs> kMissing{"jikji_missing", 32, nullptr};
const char* const kPtx[] = {".version 7.0"};

class CudaMock : public testing::Test {
 protected:
  ~CudaMock() override { unsetenv("JIKJI_MOCK_CUDA"); }
  static void Set(const char* what) { setenv("JIKJI_MOCK_CUDA", what, 1); }
  static auto Open() { return Driver::Open(JIKJI_MOCK_CUDA_LIBRARY); }
  static Result<std::unique_ptr<Device>> OpenFirst() {
    JIKJI_ASSIGN(auto driver, Open());
    return OpenDevice(driver, 0, kPtx);
  }
};

TEST(CudaDriver, WithoutADriverTheErrorSaysWhatToInstall) {
  const auto driver = Driver::Open("libjikji-no-such-driver.so.1");
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(driver.error().message.find("install the driver"), std::string::npos);
  // A library that is another.
  const auto other = Driver::Open("libm.so.6");
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("has no cuInit"), std::string::npos);
}

TEST_F(CudaMock, TellsWhatDevicesThereAre) {
  const auto driver = Open();
  ASSERT_TRUE(driver) << driver.error().ToString();
  const auto devices = ListDevices(**driver);
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 1u);
  EXPECT_EQ(devices->front().name, "Mock GPU");
  EXPECT_EQ(devices->front().uuid, "GPU-0f1f2f3f-4f5f-6f7f-8f9f-afbfcfdfefff");
  EXPECT_EQ(devices->front().driver, "13.0");
  EXPECT_EQ(devices->front().major, 9);
  EXPECT_EQ(devices->front().processors, 132);
}

TEST_F(CudaMock, RefusesWhatIsTooOldOrMissing) {
  Set("version=12010");
  EXPECT_EQ(Open().error().message,
            "the NVIDIA driver is for CUDA 12.1; install one for 12.4 or later");
  Set("devices=0");
  EXPECT_EQ(Open().error().message, "the NVIDIA driver finds no GPU");
  Set("capability=7");
  EXPECT_NE(OpenFirst().error().message.find("compute capability 7.0"), std::string::npos);
  Set("");
  const auto driver = Open();
  ASSERT_TRUE(driver);
  EXPECT_EQ(OpenDevice(*driver, 1, kPtx).error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(OpenDevice(*driver, 0, {}).error().message.find("without GPU code"), std::string::npos);
}

TEST_F(CudaMock, SaysWhatTheCompilerOfTheDriverSaid) {
  Set("bad_ptx");
  const auto device = OpenFirst();
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().where, "ptxas: line 7: no such instruction");
}

TEST_F(CudaMock, CopiesAndLaunches) {
  auto device = OpenFirst();
  ASSERT_TRUE(device) << device.error().ToString();
  const auto buffer = (*device)->Allocate(8);
  ASSERT_TRUE(buffer);
  const std::string in = "12345678";
  std::string out(8, ' ');
  EXPECT_TRUE((*device)->CopyToDevice(buffer->data(), in.data(), 8));
  EXPECT_TRUE((*device)->Launch(kMock, {}, {}));
  EXPECT_TRUE((*device)->CopyToHost(out.data(), buffer->data(), 8));
  EXPECT_EQ(out, in);
  const auto missing = (*device)->Launch(kMissing, {}, {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().where, "jikji_missing");
}

TEST_F(CudaMock, RecordedLaunchesAreDoneWhenTheGraphIs) {
  auto device = OpenFirst();
  ASSERT_TRUE(device);
  const auto twice = [&]() -> Result<> {
    JIKJI_RETURN_IF_ERROR((*device)->Launch(kMock, {}, {}));
    return (*device)->Launch(kMock, {}, {});
  };
  Set("full");
  const auto refused = (*device)->Record(twice);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  Set("");
  EXPECT_FALSE((*device)->Record([&] { return (*device)->Launch(kMissing, {}, {}); }));
  const auto graph = (*device)->Record(twice);
  ASSERT_TRUE(graph) << graph.error().ToString();
  EXPECT_TRUE((*device)->Launch(**graph));
  EXPECT_TRUE((*device)->Synchronize());
  // The mock counts launches, and those of a graph one by one.
  Set("launches=0");
  EXPECT_TRUE((*device)->Record(twice));
  EXPECT_FALSE((*device)->Launch(**graph));
}

TEST_F(CudaMock, PageLockedMemoryAndMarks) {
  auto device = OpenFirst();
  ASSERT_TRUE(device);
  const auto to = (*device)->Allocate(4);
  auto from = (*device)->AllocateHost(4);
  ASSERT_TRUE(to && from);
  std::memcpy(from->data(), "abcd", 4);
  EXPECT_TRUE((*device)->Wait(1));
  EXPECT_TRUE((*device)->CopyToDevice(to->data(), from->data(), 4));
  EXPECT_TRUE((*device)->Mark(1));
  EXPECT_TRUE((*device)->Wait(1));
  std::string out(4, ' ');
  EXPECT_TRUE((*device)->CopyToHost(out.data(), to->data(), 4));
  EXPECT_EQ(out, "abcd");
  Set("full");
  const auto refused = (*device)->AllocateHost(4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  Set("sync_fails");
  EXPECT_FALSE((*device)->Wait(1));
}

TEST_F(CudaMock, ALackOfMemoryIsNoLoss) {
  auto device = OpenFirst();
  ASSERT_TRUE(device);
  Set("full");
  const auto refused = (*device)->Allocate(1 << 20);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE((*device)->Synchronize());
  Set("");
  EXPECT_TRUE((*device)->Allocate(8));
}

TEST_F(CudaMock, AnErrorIsTheLastThingThatTheGpuSays) {
  auto device = OpenFirst();
  ASSERT_TRUE(device);
  Set("sync_fails");
  const auto failed = (*device)->Synchronize();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(failed.error().message.find("CUDA_ERROR_ILLEGAL_ADDRESS"), std::string::npos);
  Set("");
  const auto after = (*device)->Launch(kMock, {}, {});
  ASSERT_FALSE(after);
  EXPECT_NE(after.error().message.find("start the program again"), std::string::npos);
}

}  // namespace
}  // namespace jikji::device::cuda
