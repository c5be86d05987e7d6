#include "device/cuda/cuda_device.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace jikji::device::cuda {
namespace {

// "GPU-" and the groups of a UUID, as nvidia-smi shows it.
std::string UuidText(const Uuid& uuid) {
  std::string text = "GPU";
  for (size_t i = 0; i < sizeof uuid.bytes; ++i) {
    if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
  }
  return text;
}

Result<Properties> PropertiesOf(const Driver& driver, Ordinal ordinal) {
  Properties out;
  std::array<char, 256> name{};
  size_t bytes = 0;
  JIKJI_RETURN_IF_ERROR(driver.Check(
      driver.DeviceGetName(name.data(), static_cast<int>(name.size()), ordinal), "naming a GPU"));
  JIKJI_RETURN_IF_ERROR(
      driver.Check(driver.DeviceTotalMem(&bytes, ordinal), "asking for a GPU's memory"));
  Uuid uuid{};
  JIKJI_RETURN_IF_ERROR(
      driver.Check(driver.DeviceGetUuid(&uuid, ordinal), "asking for a GPU's UUID"));
  out.uuid = UuidText(uuid);
  for (const auto& [attribute, value] : {std::pair{kCapabilityMajor, &out.major},
                                         {kCapabilityMinor, &out.minor},
                                         {kMultiprocessorCount, &out.processors}}) {
    JIKJI_RETURN_IF_ERROR(driver.Check(driver.DeviceGetAttribute(value, attribute, ordinal),
                                       "asking for a GPU's attributes"));
  }
  out.name = name.data();
  out.driver = driver.VersionText();
  out.memory_bytes = bytes;
  return out;
}

class CudaGraph : public Graph {
 public:
  CudaGraph(const Driver& driver, Context context, GraphExec exec)
      : driver_(driver), context_(context), exec_(exec) {}
  ~CudaGraph() override {
    (void)driver_.CtxSetCurrent(context_);
    (void)driver_.GraphExecDestroy(exec_);
  }
  GraphExec exec() const { return exec_; }

 private:
  const Driver& driver_;
  Context context_;
  GraphExec exec_;
};

// Devices that were joined, until the last of them goes.
struct Group {
  std::shared_ptr<const Nccl> nccl;
  std::vector<NcclComm> comms;  // by rank
  std::atomic<bool> left = false;

  ~Group() {
    if (left) return;  // aborted, which frees them
    for (const NcclComm comm : comms) (void)nccl->CommDestroy(comm);
  }
};

class CudaDevice : public Device {
 public:
  CudaDevice(std::shared_ptr<const Driver> driver, int number, Ordinal ordinal,
             Properties properties)
      : driver_(std::move(driver)),
        number_(number),
        ordinal_(ordinal),
        properties_(std::move(properties)) {}

  ~CudaDevice() override {
    if (context_ == nullptr) return;
    group_.reset();
    (void)driver_->CtxSetCurrent(context_);
    for (const Module module : modules_) (void)driver_->ModuleUnload(module);
    for (const Event event : marks_) {
      if (event != nullptr) (void)driver_->EventDestroy(event);
    }
    if (stream_ != nullptr) (void)driver_->StreamDestroy(stream_);
    (void)driver_->PrimaryCtxRelease(ordinal_);
  }

  Result<> Start(std::span<const char* const> modules) {
    JIKJI_RETURN_IF_ERROR(
        driver_->Check(driver_->PrimaryCtxRetain(&context_, ordinal_), "starting the GPU"));
    JIKJI_RETURN_IF_ERROR(Use());
    constexpr unsigned kNonBlocking = 1;
    JIKJI_RETURN_IF_ERROR(
        driver_->Check(driver_->StreamCreate(&stream_, kNonBlocking), "making a stream"));
    for (Event& event : marks_) {
      JIKJI_RETURN_IF_ERROR(
          driver_->Check(driver_->EventCreate(&event, kNoTiming), "making a mark"));
    }
    for (const char* code : modules) {
      std::array<char, 4096> log{};
      std::array<int, 2> options = {kJitErrorLog, kJitErrorLogBytes};
      std::array<void*, 2> values = {log.data(), reinterpret_cast<void*>(log.size())};
      Module module = nullptr;
      auto loaded =
          driver_->Check(driver_->ModuleLoadDataEx(&module, code, 2, options.data(), values.data()),
                         "compiling kernels for the GPU");
      if (!loaded) {
        loaded.error().where = log.data();
        return loaded;
      }
      modules_.push_back(module);
    }
    return {};
  }

  const Properties& properties() const override { return properties_; }
  int number() const { return number_; }

  Result<Memory> memory() override {
    JIKJI_RETURN_IF_ERROR(Use());
    size_t free = 0, total = 0;
    JIKJI_RETURN_IF_ERROR(Note(driver_->MemGetInfo(&free, &total), "asking for free memory"));
    return Memory{free, total};
  }

  Result<Buffer> Allocate(uint64_t bytes) override {
    if (bytes == 0) return Buffer();
    JIKJI_RETURN_IF_ERROR(Use());
    Address address = 0;
    JIKJI_RETURN_IF_ERROR(Note(
        driver_->MemAlloc(&address, bytes),
        fmt::format("taking {:.1f} MB of the GPU's memory", static_cast<double>(bytes) / 1e6)));
    return Buffer(this, reinterpret_cast<std::byte*>(address), bytes);
  }

  Result<Buffer> AllocateHost(uint64_t bytes) override {
    if (bytes == 0) return Buffer();
    JIKJI_RETURN_IF_ERROR(Use());
    void* data = nullptr;
    JIKJI_RETURN_IF_ERROR(
        Note(driver_->MemHostAlloc(&data, bytes, 0),
             fmt::format("taking {:.1f} MB of page-locked memory (`ulimit -l` may limit it)",
                         static_cast<double>(bytes) / 1e6)));
    return Buffer(this, static_cast<std::byte*>(data), bytes, /*of_host=*/true);
  }

  Result<> CopyToDevice(std::byte* to, const void* from, uint64_t bytes) override {
    if (bytes == 0) return {};
    JIKJI_RETURN_IF_ERROR(Use());
    // Memory that is not pinned is copied aside before the call returns.
    return Note(driver_->MemcpyHtoDAsync(At(to), from, bytes, stream_), "copying to the GPU");
  }

  Result<> CopyToHost(void* to, const std::byte* from, uint64_t bytes) override {
    JIKJI_RETURN_IF_ERROR(CopyDown(to, from, bytes));
    return Synchronize();
  }
  Result<> StartCopyToHost(std::byte* to, const std::byte* from, uint64_t bytes) override {
    return CopyDown(to, from, bytes);
  }

  Result<> Fill(std::byte* to, uint8_t value, uint64_t bytes) override {
    if (bytes == 0) return {};
    JIKJI_RETURN_IF_ERROR(Use());
    return Note(driver_->MemsetD8Async(At(to), value, bytes, stream_), "filling the GPU's memory");
  }

  Result<> Synchronize() override {
    JIKJI_RETURN_IF_ERROR(Use());
    return Note(driver_->StreamSynchronize(stream_), "computing on the GPU");
  }

  // An event that was never recorded counts as passed.
  Result<> Mark(size_t mark) override {
    JIKJI_RETURN_IF_ERROR(Use());
    return Note(driver_->EventRecord(marks_[mark], stream_), "marking a place on the GPU");
  }
  Result<> Wait(size_t mark) override {
    JIKJI_RETURN_IF_ERROR(Use());
    return Note(driver_->EventSynchronize(marks_[mark]), "computing on the GPU");
  }

  void Join(std::shared_ptr<Group> group, size_t rank) {
    group_ = std::move(group);
    rank_ = rank;
  }

  // Taken into a graph like any kernel, since the library launches it on this stream.
  Result<> AllGather(const std::byte* from, std::byte* to, uint64_t bytes) override {
    if (group_ == nullptr) return Device::AllGather(from, to, bytes);
    JIKJI_RETURN_IF_ERROR(Use());
    if (group_->left) {
      return Lose({.code = ErrorCode::kUnavailable,
                   .message = "a GPU that this one computes with is lost",
                   .where = {}});
    }
    const auto gathered = group_->nccl->Check(
        group_->nccl->AllGather(from, to, bytes, kNcclInt8, group_->comms[rank_], stream_),
        "exchanging between GPUs");
    return gathered ? gathered : Lose(gathered.error());
  }

  // Only an abort ends a kernel of NCCL that waits for another GPU. Its communicators are of no
  // use afterwards, not even to be destroyed.
  void Leave() override {
    if (group_ == nullptr || group_->left.exchange(true)) return;
    for (const NcclComm comm : group_->comms) (void)group_->nccl->CommAbort(comm);
  }

  using Device::Launch;
  Result<> Launch(const Graph& graph) override {
    JIKJI_RETURN_IF_ERROR(Use());
    return Note(driver_->GraphLaunch(static_cast<const CudaGraph&>(graph).exec(), stream_),
                "running recorded kernels");
  }

 protected:
  Result<> LaunchErased(const ErasedLaunch& launch, Grid grid) override {
    JIKJI_RETURN_IF_ERROR(Use());
    JIKJI_ASSIGN(const Function function, Find(launch.name));
    void* params[] = {const_cast<void*>(launch.args)};
    return Note(driver_->LaunchKernel(function, grid.x, grid.y, 1, launch.threads, 1, 1, 0, stream_,
                                      params, nullptr),
                launch.name);
  }

  Result<> BeginRecord() override {
    JIKJI_RETURN_IF_ERROR(Use());
    return Note(driver_->StreamBeginCapture(stream_, kCaptureThreadLocal), "recording kernels");
  }

  Result<std::unique_ptr<Graph>> EndRecord() override {
    JIKJI_RETURN_IF_ERROR(Use());
    GraphHandle graph = nullptr;
    JIKJI_RETURN_IF_ERROR(Note(driver_->StreamEndCapture(stream_, &graph), "recording kernels"));
    GraphExec exec = nullptr;
    const auto made =
        Note(driver_->GraphInstantiate(&exec, graph, 0), "making a graph of recorded kernels");
    (void)driver_->GraphDestroy(graph);
    if (!made) return std::unexpected(made.error());
    return std::make_unique<CudaGraph>(*driver_, context_, exec);
  }

  void Free(std::byte* data) override {
    (void)driver_->CtxSetCurrent(context_);
    (void)driver_->MemFree(At(data));
  }
  void FreeHost(std::byte* data) override {
    (void)driver_->CtxSetCurrent(context_);
    (void)driver_->MemFreeHost(data);
  }

 private:
  static Address At(const std::byte* data) { return reinterpret_cast<Address>(data); }

  Result<> CopyDown(void* to, const std::byte* from, uint64_t bytes) {
    if (bytes == 0) return {};
    JIKJI_RETURN_IF_ERROR(Use());
    return Note(driver_->MemcpyDtoHAsync(to, At(from), bytes, stream_), "copying from the GPU");
  }

  // A context is current to a thread; the engine's thread is another than the one that loads.
  Result<> Use() {
    if (!lost_.message.empty()) return std::unexpected(lost_);
    return driver_->Check(driver_->CtxSetCurrent(context_), "using the GPU");
  }

  // All errors but a lack of memory leave the context of no use.
  Result<> Note(Status status, std::string_view what) {
    auto result = driver_->Check(status, what);
    if (!result && result.error().code == ErrorCode::kUnavailable) return Lose(result.error());
    return result;
  }

  Result<> Lose(Error why) {
    lost_ = std::move(why);
    lost_.message += "; the GPU answers nothing more, start the program again";
    return std::unexpected(lost_);
  }

  Result<Function> Find(const char* name) {
    if (const auto found = functions_.find(name); found != functions_.end()) return found->second;
    for (const Module module : modules_) {
      Function function = nullptr;
      const Status status = driver_->ModuleGetFunction(&function, module, name);
      if (status == kNotFound) continue;
      JIKJI_RETURN_IF_ERROR(Note(status, name));
      functions_[name] = function;
      return function;
    }
    return Fail(ErrorCode::kInternal, "the GPU's modules have no such kernel", name);
  }

  std::shared_ptr<const Driver> driver_;
  int number_;  // in the driver's order
  Ordinal ordinal_;
  Properties properties_;
  Context context_ = nullptr;
  Stream stream_ = nullptr;
  std::array<Event, kMarks> marks_{};
  std::vector<Module> modules_;
  std::unordered_map<std::string_view, Function> functions_;
  Error lost_{};
  std::shared_ptr<Group> group_;  // nullptr: alone
  size_t rank_ = 0;
};

}  // namespace

Result<std::vector<Properties>> ListDevices(const Driver& driver) {
  std::vector<Properties> out;
  for (int number = 0; number < driver.devices(); ++number) {
    Ordinal ordinal = 0;
    JIKJI_RETURN_IF_ERROR(driver.Check(driver.DeviceGet(&ordinal, number), "finding a GPU"));
    JIKJI_ASSIGN(Properties properties, PropertiesOf(driver, ordinal));
    out.push_back(std::move(properties));
  }
  return out;
}

Result<std::unique_ptr<Device>> OpenDevice(std::shared_ptr<const Driver> driver, int number,
                                           std::span<const char* const> modules) {
  if (number < 0 || number >= driver->devices()) {
    return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("no GPU {}: the driver finds {}, numbered from 0", number, driver->devices()));
  }
  if (modules.empty()) {
    return Fail(ErrorCode::kUnsupported,
                "this program was built without GPU code; install clang-16 and build it again");
  }
  Ordinal ordinal = 0;
  JIKJI_RETURN_IF_ERROR(driver->Check(driver->DeviceGet(&ordinal, number), "finding the GPU"));
  JIKJI_ASSIGN(Properties properties, PropertiesOf(*driver, ordinal));
  constexpr int32_t kOldestMajor = 8;
  if (properties.major < kOldestMajor) {
    return Fail(
        ErrorCode::kUnsupported,
        fmt::format("{} has compute capability {}.{}; the kernels need 8.0 (Ampere) or later",
                    properties.name, properties.major, properties.minor));
  }
  auto device =
      std::make_unique<CudaDevice>(std::move(driver), number, ordinal, std::move(properties));
  JIKJI_RETURN_IF_ERROR(device->Start(modules));
  return device;
}

Result<> JoinDevices(std::shared_ptr<const Nccl> nccl,
                     std::span<const std::shared_ptr<Device>> devices) {
  std::vector<int> numbers;
  for (const auto& device : devices) {
    numbers.push_back(static_cast<const CudaDevice&>(*device).number());
  }
  std::vector<NcclComm> comms(devices.size());
  JIKJI_RETURN_IF_ERROR(
      nccl->Check(nccl->CommInitAll(comms.data(), static_cast<int>(numbers.size()), numbers.data()),
                  "joining the GPUs"));
  auto group = std::make_shared<Group>();
  group->nccl = std::move(nccl);
  group->comms = std::move(comms);
  for (size_t rank = 0; rank < devices.size(); ++rank) {
    static_cast<CudaDevice&>(*devices[rank]).Join(group, rank);
  }
  return {};
}

}  // namespace jikji::device::cuda
