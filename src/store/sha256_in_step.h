// SHA-256 of streams that one thread feeds in turn, as a network thread does with what it receives:
// two of them are hashed side by side (store/sha256_lane), which costs about half.
//
// Contract: what Sha256Stream gives, whoever else is fed. A stream belongs to the thread that feeds
// it first; another may go on with it and finish it. While a thread has one stream, nothing is kept
// back; beside others, one stream's bytes wait (256 KiB, copied) for those of another.
#ifndef JIKJI_STORE_SHA256_IN_STEP_H_
#define JIKJI_STORE_SHA256_IN_STEP_H_

#include <memory>
#include <string_view>

#include "store/digest.h"

namespace jikji {

class Sha256InStep {
 public:
  Sha256InStep();
  Sha256InStep(Sha256InStep&&) noexcept;
  Sha256InStep& operator=(Sha256InStep&&) = delete;
  ~Sha256InStep();

  void Update(std::string_view piece);
  // Once.
  Digest Finish();

 private:
  struct Turn;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace jikji

#endif  // JIKJI_STORE_SHA256_IN_STEP_H_
