// A mock of NCCL for the tests of device/cuda, beside the mock of the driver: memory is the host's.
// A gather waits for nobody: it copies what its own device has to its own place. JIKJI_MOCK_NCCL
// says what goes wrong: `version=21000`, `init_fails`, `gather_fails`; JIKJI_MOCK_NCCL_LOG is a
// file to which calls are written, a line each.
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kInternalError = 3;

struct Comm {
  int rank;
};

const char* Word(const char* word) {
  const char* all = std::getenv("JIKJI_MOCK_NCCL");
  return all == nullptr ? nullptr : std::strstr(all, word);
}

void Log(const char* call, int number) {
  const char* path = std::getenv("JIKJI_MOCK_NCCL_LOG");
  if (path == nullptr) return;
  std::FILE* file = std::fopen(path, "a");
  std::fprintf(file, "%s %d\n", call, number);
  std::fclose(file);
}

}  // namespace

extern "C" {

int ncclGetVersion(int* version) {
  const char* found = Word("version=");
  *version = found == nullptr ? 22203 : std::atoi(found + std::strlen("version="));
  return 0;
}
int ncclCommInitAll(Comm** comms, int count, const int* numbers) {
  if (Word("init_fails") != nullptr) return kInternalError;
  for (int rank = 0; rank < count; ++rank) {
    Log("init", numbers[rank]);
    comms[rank] = new Comm{rank};
  }
  return 0;
}
int ncclAllGather(const void* from, void* to, size_t count, int, Comm* comm, void*) {
  Log("gather", comm->rank);
  if (Word("gather_fails") != nullptr) return kInternalError;
  std::memcpy(static_cast<char*>(to) + static_cast<size_t>(comm->rank) * count, from, count);
  return 0;
}
int ncclCommDestroy(Comm* comm) {
  Log("destroy", comm->rank);
  delete comm;
  return 0;
}
int ncclCommAbort(Comm* comm) {
  Log("abort", comm->rank);
  delete comm;
  return 0;
}
const char* ncclGetErrorString(int) { return "internal error"; }

}  // extern "C"
