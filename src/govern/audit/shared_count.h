// A number that every process which has a folder open sees at once: eight bytes in a file that all
// of them map. It costs a reader one load.
//
// Contract: who loads a number that another has added to sees all that the other did before.
#ifndef JIKJI_GOVERN_AUDIT_SHARED_COUNT_H_
#define JIKJI_GOVERN_AUDIT_SHARED_COUNT_H_

#include <cstdint>
#include <filesystem>

#include "base/error.h"

namespace jikji::audit {

class SharedCount {
 public:
  SharedCount() = default;
  SharedCount(const SharedCount&) = delete;
  SharedCount& operator=(const SharedCount&) = delete;
  ~SharedCount();

  // Makes the file where it is missing; its folder is there. Once.
  Result<> Open(const std::filesystem::path& file);
  bool is_open() const { return count_ != nullptr; }

  uint64_t Load() const { return __atomic_load_n(count_, __ATOMIC_ACQUIRE); }
  void Add() { __atomic_fetch_add(count_, 1, __ATOMIC_ACQ_REL); }

 private:
  uint64_t* count_ = nullptr;
};

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_SHARED_COUNT_H_
