#include "device/emulated/emulated_device.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "device/emulated/block.h"

namespace jikji::device {
namespace {

constexpr size_t kAlignment = 256;

// A launch with its arguments.
struct KeptLaunch {
  const char* name;
  uint32_t threads;
  void (*body)();
  void (*call)(void (*body)(), const void* args);
  std::vector<std::max_align_t> args;
  Grid grid;
};

using Act = std::function<Result<>()>;

class EmulatedGraph : public Graph {
 public:
  explicit EmulatedGraph(std::vector<Act> acts) : acts_(std::move(acts)) {}
  const std::vector<Act>& acts() const { return acts_; }

 private:
  std::vector<Act> acts_;
};

// Everything that need not be done when a call returns is done as late as a device may: when it is
// waited for. So what the host changes too early, or reads too early, is seen.
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
    const auto* source = static_cast<const std::byte*>(from);
    if (OfHost(source)) {
      pending_.emplace_back([=] { return Copy(to, source, bytes); });
    } else {
      pending_.emplace_back([to, copied = std::vector<std::byte>(source, source + bytes)] {
        return Copy(to, copied.data(), copied.size());
      });
    }
    return {};
  }
  Result<> CopyToHost(void* to, const std::byte* from, uint64_t bytes) override {
    JIKJI_RETURN_IF_ERROR(Synchronize());
    return Copy(to, from, bytes);
  }
  Result<> StartCopyToHost(std::byte* to, const std::byte* from, uint64_t bytes) override {
    JIKJI_RETURN_IF_ERROR(Check());
    if (bytes > 0) std::memset(to, 0xFF, bytes);
    pending_.emplace_back([=] { return Copy(to, from, bytes); });
    return {};
  }
  Result<> Fill(std::byte* to, uint8_t value, uint64_t bytes) override {
    JIKJI_RETURN_IF_ERROR(Check());
    pending_.emplace_back([=]() -> Result<> {
      if (bytes > 0) std::memset(to, value, bytes);
      return {};
    });
    return {};
  }
  Result<> Synchronize() override {
    JIKJI_RETURN_IF_ERROR(Check());
    return CatchUp();
  }

  Result<> Mark(size_t mark) override {
    JIKJI_RETURN_IF_ERROR(Check());
    marks_[mark] = done_ + pending_.size();
    return {};
  }
  Result<> Wait(size_t mark) override {
    JIKJI_RETURN_IF_ERROR(Check());
    return marks_[mark] > done_ ? CatchUp(marks_[mark] - done_) : Result<>();
  }

  using Device::Launch;
  Result<> Launch(const Graph& graph) override {
    JIKJI_RETURN_IF_ERROR(Check());
    if (options_.graph_launched) options_.graph_launched();
    const std::vector<Act>& acts = static_cast<const EmulatedGraph&>(graph).acts();
    pending_.insert(pending_.end(), acts.begin(), acts.end());
    return {};
  }

  Result<> AllGather(const std::byte* from, std::byte* to, uint64_t bytes) override {
    if (options_.joined == nullptr) return Device::AllGather(from, to, bytes);
    return Do([this, from, to, bytes]() -> Result<> {
      JIKJI_RETURN_IF_ERROR(LookAfter("AllGather"));
      return options_.joined->Gather(options_.rank, from, to, bytes);
    });
  }
  void Leave() override {
    if (options_.joined != nullptr) options_.joined->Leave();
  }

 protected:
  Result<> LaunchErased(const ErasedLaunch& launch, Grid grid) override {
    std::vector<std::max_align_t> args(launch.args_bytes / sizeof(std::max_align_t) + 1);
    std::memcpy(args.data(), launch.args, launch.args_bytes);
    const auto kept = std::make_shared<const KeptLaunch>(
        KeptLaunch{launch.name, launch.threads, launch.body, launch.call, std::move(args), grid});
    return Do([this, kept] { return Run(*kept); });
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
    (void)CatchUp();
    host_.erase(data);
    delete[] data;
  }
  void Free(std::byte* data) override {
    (void)CatchUp();
    used_ -= sizes_.extract(data).mapped();
    std::free(data);
  }

 private:
  static Result<> Copy(void* to, const std::byte* from, uint64_t bytes) {
    if (bytes > 0) std::memcpy(to, from, bytes);
    return {};
  }

  Result<> Run(const KeptLaunch& launch) {
    JIKJI_RETURN_IF_ERROR(LookAfter(launch.name));
    const auto body = [](const void* erased) {
      const auto& to_call = *static_cast<const KeptLaunch*>(erased);
      to_call.call(to_call.body, to_call.args.data());
    };
    for (uint32_t y = 0; y < launch.grid.y; ++y) {
      for (uint32_t x = 0; x < launch.grid.x; ++x) {
        if (auto ran = block_.Run(body, &launch, launch.threads, x, y); !ran) {
          ran.error().where = launch.name;
          return ran;
        }
      }
    }
    return {};
  }

  bool OfHost(const std::byte* data) const {
    const auto after = host_.upper_bound(data);
    return after != host_.begin() && data < std::prev(after)->first + std::prev(after)->second;
  }

  // Does so much of what is pending. What fails is the end of the device.
  Result<> CatchUp(size_t count = std::numeric_limits<size_t>::max()) {
    for (; count > 0 && !pending_.empty(); --count, ++done_) {
      const auto next = std::move(pending_.front());
      pending_.pop_front();
      if (auto done = next(); !done) {
        lost_ = true;
        pending_.clear();
        return done;
      }
    }
    return {};
  }

  // A test's fault, where it is time.
  Result<> LookAfter(std::string_view act) const {
    if (options_.healthy && !options_.healthy(act)) return Lost();
    return {};
  }
  // Launches and gathers: later, or as part of a graph.
  Result<> Do(Act act) {
    if (recording_) {
      recorded_.push_back(std::move(act));
      return {};
    }
    JIKJI_RETURN_IF_ERROR(Check());
    pending_.push_back(std::move(act));
    return {};
  }

  static std::unexpected<Error> Lost() {
    return Fail(ErrorCode::kUnavailable, "the emulated device is lost; start the program again");
  }
  Result<> Check() const {
    if (recording_) {
      return Fail(ErrorCode::kInternal, "only launches and gathers can be recorded");
    }
    if (!lost_) return {};
    return Lost();
  }

  EmulatedOptions options_;
  Properties properties_;
  uint64_t used_ = 0;
  bool lost_ = false;
  std::map<const std::byte*, uint64_t> host_;  // bytes of AllocateHost's memory
  std::deque<Act> pending_;
  uint64_t done_ = 0;                     // calls that are no longer pending
  std::array<uint64_t, kMarks> marks_{};  // how many must be done
  bool recording_ = false;
  std::vector<Act> recorded_;
  std::map<std::byte*, uint64_t> sizes_;
  Block block_;
};

}  // namespace

std::unique_ptr<Device> MakeEmulatedDevice(EmulatedOptions options) {
  return std::make_unique<EmulatedDevice>(std::move(options));
}

std::vector<std::shared_ptr<Device>> MakeJoinedDevices(
    size_t ranks, const std::function<EmulatedOptions(size_t rank)>& options) {
  const auto joined = std::make_shared<Rendezvous>(ranks);
  std::vector<std::shared_ptr<Device>> devices;
  for (size_t rank = 0; rank < ranks; ++rank) {
    EmulatedOptions own = options ? options(rank) : EmulatedOptions();
    own.joined = joined;
    own.rank = rank;
    devices.push_back(MakeEmulatedDevice(std::move(own)));
  }
  return devices;
}

}  // namespace jikji::device
