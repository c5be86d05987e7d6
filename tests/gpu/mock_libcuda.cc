// A mock of NVIDIA's driver library for the tests of device/cuda: memory is the host's, kernels do
// nothing. JIKJI_MOCK_CUDA says what goes wrong: words like `version=12000`, `devices=0`,
// `capability=7`, `memory_mb=100`, `launches=9` (those that succeed), `bad_ptx`, `full`,
// `sync_fails`.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

using Status = int;
constexpr Status kOutOfMemory = 2, kInvalidPtx = 218, kNotFound = 500, kIllegalAddress = 700,
                 kCaptureInvalidated = 901;

int Number(const char* word, int otherwise) {
  const char* all = std::getenv("JIKJI_MOCK_CUDA");
  const char* found = all == nullptr ? nullptr : std::strstr(all, word);
  return found == nullptr ? otherwise : std::atoi(found + std::strlen(word) + 1);
}
bool Wanted(const char* word) {
  const char* all = std::getenv("JIKJI_MOCK_CUDA");
  return all != nullptr && std::strstr(all, word) != nullptr;
}

std::atomic<int> launches = 0;
// Of a thread's stream: several GPUs have a thread each.
thread_local bool capturing = false;
thread_local int captured = 0;
int handle = 0;  // something that objects may point to

}  // namespace

extern "C" {

Status cuInit(unsigned) { return 0; }
Status cuDriverGetVersion(int* version) {
  *version = Number("version", 13000);
  return 0;
}
Status cuGetErrorName(Status status, const char** name) {
  *name = status == kIllegalAddress ? "CUDA_ERROR_ILLEGAL_ADDRESS" : "CUDA_ERROR_OF_THE_MOCK";
  return 0;
}
Status cuGetErrorString(Status status, const char** text) {
  *text = status == kOutOfMemory ? "out of memory" : "an illegal memory access was encountered";
  return 0;
}
Status cuDeviceGetCount(int* count) {
  *count = Number("devices", 1);
  return 0;
}
Status cuDeviceGet(int* device, int number) {
  *device = number;
  return 0;
}
Status cuDeviceGetName(char* name, int bytes, int) {
  std::strncpy(name, "Mock GPU", static_cast<size_t>(bytes));
  return 0;
}
Status cuDeviceGetUuid_v2(unsigned char* uuid, int) {
  for (int i = 0; i < 16; ++i) uuid[i] = static_cast<unsigned char>(16 * i + 15);
  return 0;
}
Status cuDeviceTotalMem_v2(size_t* bytes, int) {
  *bytes = 1 << 20;
  return 0;
}
Status cuDeviceGetAttribute(int* value, int attribute, int) {
  *value = attribute == 75 ? Number("capability", 9) : attribute == 76 ? 0 : 132;
  return 0;
}
Status cuDevicePrimaryCtxRetain(void** context, int) {
  *context = &handle;
  return 0;
}
Status cuDevicePrimaryCtxRelease_v2(int) { return 0; }
Status cuCtxSetCurrent(void*) { return 0; }
Status cuMemGetInfo_v2(size_t* free, size_t* total) {
  *free = *total = static_cast<size_t>(Number("memory_mb", 1)) << 20;
  return 0;
}
Status cuMemAlloc_v2(unsigned long long* address, size_t bytes) {
  if (Wanted("full")) return kOutOfMemory;
  *address = reinterpret_cast<unsigned long long>(std::calloc(bytes, 1));
  return 0;
}
Status cuMemFree_v2(unsigned long long address) {
  std::free(reinterpret_cast<void*>(address));
  return 0;
}
Status cuMemHostAlloc(void** data, size_t bytes, unsigned) {
  if (Wanted("full")) return kOutOfMemory;
  *data = std::malloc(bytes);
  return 0;
}
Status cuMemFreeHost(void* data) {
  std::free(data);
  return 0;
}
Status cuMemcpyHtoDAsync_v2(unsigned long long to, const void* from, size_t bytes, void*) {
  std::memcpy(reinterpret_cast<void*>(to), from, bytes);
  return 0;
}
Status cuMemcpyDtoHAsync_v2(void* to, unsigned long long from, size_t bytes, void*) {
  std::memcpy(to, reinterpret_cast<const void*>(from), bytes);
  return 0;
}
Status cuMemsetD8Async(unsigned long long to, unsigned char value, size_t bytes, void*) {
  std::memset(reinterpret_cast<void*>(to), value, bytes);
  return 0;
}
Status cuStreamCreate(void** stream, unsigned) {
  *stream = &handle;
  return 0;
}
Status cuStreamDestroy_v2(void*) { return 0; }
Status cuStreamSynchronize(void*) {
  if (capturing) return kCaptureInvalidated;
  return Wanted("sync_fails") ? kIllegalAddress : 0;
}
Status cuEventCreate(void** event, unsigned) {
  *event = &handle;
  return 0;
}
Status cuEventRecord(void*, void*) { return capturing ? kCaptureInvalidated : 0; }
Status cuEventSynchronize(void*) { return Wanted("sync_fails") ? kIllegalAddress : 0; }
Status cuEventDestroy_v2(void*) { return 0; }
Status cuStreamBeginCapture_v2(void*, int) {
  capturing = true;
  captured = 0;
  return 0;
}
// A graph is how many kernels it has.
Status cuStreamEndCapture(void*, void** graph) {
  if (!capturing) return kCaptureInvalidated;
  capturing = false;
  *graph = new int(captured);
  return 0;
}
Status cuGraphInstantiateWithFlags(void** exec, void* graph, unsigned long long) {
  if (Wanted("full")) return kOutOfMemory;
  *exec = new int(*static_cast<int*>(graph));
  return 0;
}
Status cuGraphLaunch(void* exec, void*) {
  const int so_far = launches += *static_cast<int*>(exec);
  return so_far > Number("launches", so_far) ? kIllegalAddress : 0;
}
Status cuGraphExecDestroy(void* exec) {
  delete static_cast<int*>(exec);
  return 0;
}
Status cuGraphDestroy(void* graph) {
  delete static_cast<int*>(graph);
  return 0;
}
Status cuModuleLoadDataEx(void** module, const void*, unsigned, int*, void** values) {
  if (Wanted("bad_ptx")) {
    std::strcpy(static_cast<char*>(values[0]), "ptxas: line 7: no such instruction");
    return kInvalidPtx;
  }
  *module = &handle;
  return 0;
}
Status cuModuleUnload(void*) { return 0; }
Status cuModuleGetFunction(void** function, void*, const char* name) {
  if (std::strcmp(name, "jikji_missing") == 0) return kNotFound;
  *function = &handle;
  return 0;
}
Status cuLaunchKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                      void*, void**, void**) {
  if (capturing) {
    ++captured;
    return 0;
  }
  const int so_far = ++launches;
  return so_far > Number("launches", so_far) ? kIllegalAddress : 0;
}

}  // extern "C"
