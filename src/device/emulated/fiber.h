// A fiber: a function with a stack of its own, which runs until it gives up the processor.
//
// Contract: a fiber runs on the thread that calls Resume; nothing thrown may leave its function.
// Stacks are reused: Start on a fiber that has not finished drops what it was doing.
#ifndef JIKJI_DEVICE_EMULATED_FIBER_H_
#define JIKJI_DEVICE_EMULATED_FIBER_H_

#include <ucontext.h>

#include <cstddef>

namespace jikji::device {

class Fiber {
 public:
  // `stack`: memory that outlives the fiber.
  Fiber(std::byte* stack, size_t bytes) : stack_(stack), bytes_(bytes) {}

  void Start(void (*function)());
  void Resume();        // runs it until it yields or ends
  static void Yield();  // on a fiber: back to who resumed it
  bool done() const { return done_; }

 private:
  static void Main();
  void SwitchIn();
  void SwitchOut(bool last);

  std::byte* stack_;
  size_t bytes_;
  void (*function_)() = nullptr;
  bool done_ = true;
#if defined(__x86_64__)
  void* sp_ = nullptr;          // of the fiber while it waits
  void* resumer_sp_ = nullptr;  // of who resumed it
#else
  ucontext_t context_, resumer_;
#endif
  // What AddressSanitizer must know of both stacks.
  void* fake_stack_ = nullptr;
  void* resumer_fake_stack_ = nullptr;
  const void* resumer_bottom_ = nullptr;
  size_t resumer_bytes_ = 0;
};

}  // namespace jikji::device

#endif  // JIKJI_DEVICE_EMULATED_FIBER_H_
