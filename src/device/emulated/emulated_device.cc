#include "device/emulated/emulated_device.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <new>
#include <utility>

#include "device/emulated/block.h"

namespace jikji::device {
namespace {

constexpr size_t kAlignment = 256;

class EmulatedDevice : public Device {
 public:
  explicit EmulatedDevice(EmulatedOptions options) : options_(std::move(options)) {
    properties_ = {.name = "emulated device (for tests)",
                   .driver = "emulated",
                   .processors = 1,
                   .memory_bytes = options_.memory_bytes};
  }

  const Properties& properties() const override { return properties_; }
  Result<Memory> memory() override {
    return Memory{options_.memory_bytes - used_, options_.memory_bytes};
  }

  Result<Buffer> Allocate(uint64_t bytes) override {
    if (bytes == 0) return Buffer();
    void* data =
        bytes > options_.memory_bytes - used_
            ? nullptr
            : std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
    if (data == nullptr) {
      return Fail(ErrorCode::kResourceExhausted, fmt::format("the device has no {:.1f} MB more",
                                                             static_cast<double>(bytes) / 1e6));
    }
    std::memset(data, 0xFF, bytes);
    used_ += bytes;
    auto* const address = static_cast<std::byte*>(data);
    sizes_[address] = bytes;
    return Buffer(this, address, bytes);
  }

  Result<> CopyToDevice(std::byte* to, const void* from, uint64_t bytes) override {
    JIKJI_RETURN_IF_ERROR(Check());
    if (bytes > 0) std::memcpy(to, from, bytes);
    return {};
  }
  Result<> CopyToHost(void* to, const std::byte* from, uint64_t bytes) override {
    JIKJI_RETURN_IF_ERROR(Check());
    if (bytes > 0) std::memcpy(to, from, bytes);
    return {};
  }
  Result<> Fill(std::byte* to, uint8_t value, uint64_t bytes) override {
    JIKJI_RETURN_IF_ERROR(Check());
    if (bytes > 0) std::memset(to, value, bytes);
    return {};
  }
  Result<> Synchronize() override { return Check(); }

 protected:
  Result<> LaunchErased(const ErasedLaunch& launch, Grid grid) override {
    JIKJI_RETURN_IF_ERROR(Check());
    if (options_.healthy && !options_.healthy(launch.name)) {
      lost_ = true;
      return Check();
    }
    const auto body = [](const void* erased) {
      const auto& to_call = *static_cast<const ErasedLaunch*>(erased);
      to_call.call(to_call.body, to_call.args);
    };
    for (uint32_t y = 0; y < grid.y; ++y) {
      for (uint32_t x = 0; x < grid.x; ++x) {
        if (auto ran = block_.Run(body, &launch, launch.threads, x, y); !ran) {
          lost_ = true;
          ran.error().where = launch.name;
          return ran;
        }
      }
    }
    return {};
  }

  void Free(std::byte* data) override {
    used_ -= sizes_.extract(data).mapped();
    std::free(data);
  }

 private:
  Result<> Check() const {
    if (!lost_) return {};
    return Fail(ErrorCode::kUnavailable, "the emulated device is lost; start the program again");
  }

  EmulatedOptions options_;
  Properties properties_;
  uint64_t used_ = 0;
  bool lost_ = false;
  std::map<std::byte*, uint64_t> sizes_;
  Block block_;
};

}  // namespace

std::unique_ptr<Device> MakeEmulatedDevice(EmulatedOptions options) {
  return std::make_unique<EmulatedDevice>(std::move(options));
}

}  // namespace jikji::device
