#include "device/emulated/emulated_device.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iterator>
#include <limits>
#include <map>
#include <new>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "device/emulated/block.h"

namespace jikji::device {
namespace {

constexpr size_t kAlignment = 256;

// A launch with its arguments.
struct Recorded {
  const char* name;
  uint32_t threads;
  void (*body)();
  void (*call)(void (*body)(), const void* args);
  std::vector<std::max_align_t> args;
  size_t args_bytes;
  Grid grid;
};

struct Gathering {
  const std::byte* from;
  std::byte* to;
  uint64_t bytes;
};

using Act = std::variant<Recorded, Gathering>;

class EmulatedGraph : public Graph {
 public:
  explicit EmulatedGraph(std::vector<Act> acts) : acts_(std::move(acts)) {}
  const std::vector<Act>& acts() const { return acts_; }

 private:
  std::vector<Act> acts_;
};

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

  Result<Buffer> AllocateHost(uint64_t bytes) override {
    if (bytes == 0) return Buffer();
    auto* const data = new std::byte[bytes];
    std::memset(data, 0xFF, bytes);
    host_[data] = bytes;
    return Buffer(this, data, bytes, /*of_host=*/true);
  }

  Result<> CopyToDevice(std::byte* to, const void* from, uint64_t bytes) override {
    JIKJI_RETURN_IF_ERROR(Check());
    if (OfHost(static_cast<const std::byte*>(from))) {
      // As late as a device may: what the host writes there too early is seen.
      pending_.push_back({to, static_cast<const std::byte*>(from), bytes});
      return {};
    }
    CatchUp();
    if (bytes > 0) std::memcpy(to, from, bytes);
    return {};
  }
  Result<> CopyToHost(void* to, const std::byte* from, uint64_t bytes) override {
    JIKJI_RETURN_IF_ERROR(Check());
    CatchUp();
    if (bytes > 0) std::memcpy(to, from, bytes);
    return {};
  }
  Result<> Fill(std::byte* to, uint8_t value, uint64_t bytes) override {
    JIKJI_RETURN_IF_ERROR(Check());
    CatchUp();
    if (bytes > 0) std::memset(to, value, bytes);
    return {};
  }
  Result<> Synchronize() override {
    JIKJI_RETURN_IF_ERROR(Check());
    CatchUp();
    return {};
  }

  // Copies that wait are done as far as the mark.
  Result<> Mark(size_t mark) override {
    JIKJI_RETURN_IF_ERROR(Check());
    marks_[mark] = done_ + pending_.size();
    return {};
  }
  Result<> Wait(size_t mark) override {
    JIKJI_RETURN_IF_ERROR(Check());
    if (marks_[mark] > done_) CatchUp(marks_[mark] - done_);
    return {};
  }

  using Device::Launch;
  Result<> Launch(const Graph& graph) override {
    if (options_.graph_launched) options_.graph_launched();
    for (const Act& act : static_cast<const EmulatedGraph&>(graph).acts()) {
      if (const auto* gathering = std::get_if<Gathering>(&act)) {
        JIKJI_RETURN_IF_ERROR(AllGather(gathering->from, gathering->to, gathering->bytes));
        continue;
      }
      const auto& launch = std::get<Recorded>(act);
      JIKJI_RETURN_IF_ERROR(LaunchErased({launch.name, launch.threads, launch.body, launch.call,
                                          launch.args.data(), launch.args_bytes},
                                         launch.grid));
    }
    return {};
  }

  Result<> AllGather(const std::byte* from, std::byte* to, uint64_t bytes) override {
    if (options_.joined == nullptr) return Device::AllGather(from, to, bytes);
    if (recording_) {
      recorded_.emplace_back(Gathering{from, to, bytes});
      return {};
    }
    JIKJI_RETURN_IF_ERROR(Check());
    CatchUp();
    JIKJI_RETURN_IF_ERROR(LookAfter("AllGather"));
    const auto gathered = options_.joined->Gather(options_.rank, from, to, bytes);
    if (!gathered) lost_ = true;
    return gathered;
  }
  void Leave() override {
    if (options_.joined != nullptr) options_.joined->Leave();
  }

 protected:
  Result<> LaunchErased(const ErasedLaunch& launch, Grid grid) override {
    if (recording_) {
      std::vector<std::max_align_t> args(launch.args_bytes / sizeof(std::max_align_t) + 1);
      std::memcpy(args.data(), launch.args, launch.args_bytes);
      recorded_.emplace_back(Recorded{launch.name, launch.threads, launch.body, launch.call,
                                      std::move(args), launch.args_bytes, grid});
      return {};
    }
    JIKJI_RETURN_IF_ERROR(Check());
    CatchUp();
    JIKJI_RETURN_IF_ERROR(LookAfter(launch.name));
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

  Result<> BeginRecord() override {
    JIKJI_RETURN_IF_ERROR(Check());
    recording_ = true;
    recorded_.clear();
    return {};
  }
  Result<std::unique_ptr<Graph>> EndRecord() override {
    recording_ = false;
    JIKJI_RETURN_IF_ERROR(Check());
    return std::make_unique<EmulatedGraph>(std::exchange(recorded_, {}));
  }

  void FreeHost(std::byte* data) override {
    CatchUp();
    host_.erase(data);
    delete[] data;
  }
  void Free(std::byte* data) override {
    CatchUp();
    used_ -= sizes_.extract(data).mapped();
    std::free(data);
  }

 private:
  struct Copy {
    std::byte* to;
    const std::byte* from;
    uint64_t bytes;
  };

  bool OfHost(const std::byte* data) const {
    const auto after = host_.upper_bound(data);
    return after != host_.begin() && data < std::prev(after)->first + std::prev(after)->second;
  }
  void CatchUp(size_t copies = std::numeric_limits<size_t>::max()) {
    for (; copies > 0 && !pending_.empty(); --copies, ++done_) {
      const Copy& copy = pending_.front();
      std::memcpy(copy.to, copy.from, copy.bytes);
      pending_.pop_front();
    }
  }

  // A test's fault, where it is time.
  Result<> LookAfter(std::string_view act) {
    if (options_.healthy && !options_.healthy(act)) lost_ = true;
    return Check();
  }

  Result<> Check() const {
    if (recording_) {
      return Fail(ErrorCode::kInternal, "only launches and gathers can be recorded");
    }
    if (!lost_) return {};
    return Fail(ErrorCode::kUnavailable, "the emulated device is lost; start the program again");
  }

  EmulatedOptions options_;
  Properties properties_;
  uint64_t used_ = 0;
  bool lost_ = false;
  std::map<const std::byte*, uint64_t> host_;  // bytes of AllocateHost's memory
  std::deque<Copy> pending_;                   // from that memory
  uint64_t done_ = 0;                          // copies that are no longer pending
  std::array<uint64_t, kMarks> marks_{};       // how many must be done
  bool recording_ = false;
  std::vector<Act> recorded_;
  std::map<std::byte*, uint64_t> sizes_;
  Block block_;
};

}  // namespace

std::unique_ptr<Device> MakeEmulatedDevice(EmulatedOptions options) {
  return std::make_unique<EmulatedDevice>(std::move(options));
}

}  // namespace jikji::device
