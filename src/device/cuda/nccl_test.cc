// Devices joined by NCCL, with mocks of it and of the driver (tests/gpu): no GPU here.
#include "device/cuda/nccl.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "device/cuda/cuda_device.h"

namespace jikji::device::cuda {
namespace {

const char* const kPtx[] = {".version 7.0"};

class NcclMock : public testing::Test {
 protected:
  NcclMock() {
    setenv("JIKJI_MOCK_CUDA", "devices=4", 1);
    setenv("JIKJI_MOCK_NCCL_LOG", log_.c_str(), 1);
    std::filesystem::remove(log_);
  }
  ~NcclMock() override {
    for (const char* name : {"JIKJI_MOCK_CUDA", "JIKJI_MOCK_NCCL", "JIKJI_MOCK_NCCL_LOG"}) {
      unsetenv(name);
    }
    std::filesystem::remove(log_);
  }
  static void Set(const char* what) { setenv("JIKJI_MOCK_NCCL", what, 1); }

  static std::vector<std::shared_ptr<Device>> Devices(std::vector<int> numbers) {
    std::vector<std::shared_ptr<Device>> devices;
    const auto driver = Driver::Open(JIKJI_MOCK_CUDA_LIBRARY);
    EXPECT_TRUE(driver) << driver.error().ToString();
    for (const int number : numbers) {
      auto device = OpenDevice(*driver, number, kPtx);
      EXPECT_TRUE(device) << device.error().ToString();
      devices.push_back(std::move(*device));
    }
    return devices;
  }
  static Result<> Join(const std::vector<std::shared_ptr<Device>>& devices) {
    JIKJI_ASSIGN(auto nccl, Nccl::Open(JIKJI_MOCK_NCCL_LIBRARY));
    return JoinDevices(std::move(nccl), devices);
  }
  std::string Calls() const {
    std::ifstream file(log_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  std::filesystem::path log_ =
      std::filesystem::temp_directory_path() / ("jikji-nccl-" + std::to_string(getpid()) + ".log");
};

TEST_F(NcclMock, WithoutItOrTooOldTheErrorSaysWhatToInstall) {
  const auto missing = Nccl::Open("libjikji-no-such-nccl.so.2");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(missing.error().message.find("install NVIDIA's package libnccl2"), std::string::npos);
  const auto other = Nccl::Open("libm.so.6");
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("has no ncclGetVersion"), std::string::npos);
  Set("version=21703");
  const auto old = Nccl::Open(JIKJI_MOCK_NCCL_LIBRARY);
  ASSERT_FALSE(old);
  EXPECT_EQ(old.error().message, "NCCL is 2.17.3; install libnccl2 of 2.18 or later");
}

TEST_F(NcclMock, RanksAreInTheOrderGivenAndGatherIntoTheirPlaces) {
  {
    const auto devices = Devices({3, 1});
    const auto joined = Join(devices);
    ASSERT_TRUE(joined) << joined.error().ToString();
    for (const size_t rank : {0u, 1u}) {
      Device& device = *devices[rank];
      const auto from = device.Allocate(4), to = device.Allocate(8);
      ASSERT_TRUE(from && to);
      EXPECT_TRUE(device.CopyToDevice(from->data(), "abcd", 4));
      EXPECT_TRUE(device.AllGather(from->data(), to->data(), 4));
      std::string got(8, ' ');
      EXPECT_TRUE(device.CopyToHost(got.data(), to->data(), 8));
      EXPECT_EQ(got.substr(4 * rank, 4), "abcd");
    }
  }
  EXPECT_EQ(Calls(), "init 3\ninit 1\ngather 0\ngather 1\ndestroy 0\ndestroy 1\n");
}

TEST_F(NcclMock, AnErrorOfOneIsTheEndOfItAndAbortsAll) {
  {
    const auto devices = Devices({0, 1});
    ASSERT_TRUE(Join(devices));
    const auto memory = devices[1]->Allocate(8);
    ASSERT_TRUE(memory);
    Set("gather_fails");
    const auto failed = devices[1]->AllGather(memory->data(), memory->data(), 4);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(failed.error().message.find("internal error (NCCL, 3)"), std::string::npos);
    EXPECT_NE(devices[1]->Synchronize().error().message.find("start the program again"),
              std::string::npos);
    Set("");
    devices[1]->Leave();
    devices[1]->Leave();
    const auto later = devices[0]->AllGather(memory->data(), memory->data(), 4);
    ASSERT_FALSE(later);
    EXPECT_NE(later.error().message.find("a GPU that this one computes with is lost"),
              std::string::npos);
  }
  EXPECT_EQ(Calls(), "init 0\ninit 1\ngather 1\nabort 0\nabort 1\n");
}

TEST_F(NcclMock, DevicesThatCannotBeJoinedSaySo) {
  Set("init_fails");
  const auto failed = Join(Devices({0, 1}));
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("joining the GPUs failed"), std::string::npos);
}

}  // namespace
}  // namespace jikji::device::cuda
