#include "device/emulated/fiber.h"

#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#define JIKJI_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define JIKJI_ASAN
#endif
#endif
#ifdef JIKJI_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

// ThreadSanitizer counts the functions that are entered and left. A fiber's first is never left,
// nor the last that it calls, so that these are none of its business.
#if defined(__SANITIZE_THREAD__)
#define JIKJI_NEVER_LEFT __attribute__((no_sanitize_thread))
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define JIKJI_NEVER_LEFT __attribute__((disable_sanitizer_instrumentation))
#endif
#endif
#ifndef JIKJI_NEVER_LEFT
#define JIKJI_NEVER_LEFT
#endif

#if defined(__x86_64__)
// Saves what the System V ABI lets a callee keep, changes stacks, and takes up what lies there.
// swapcontext would do, at a system call each: thousands a block.
asm(R"(
.text
.globl jikji_switch_stack
.type jikji_switch_stack, @function
jikji_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size jikji_switch_stack, .-jikji_switch_stack
)");
extern "C" void jikji_switch_stack(void** save_sp, void* sp);
#endif

namespace jikji::device {
namespace {

thread_local Fiber* current = nullptr;

}  // namespace

void Fiber::Start(void (*function)()) {
  function_ = function;
  done_ = false;
  fake_stack_ = nullptr;
#if defined(__x86_64__)
  // As jikji_switch_stack leaves a stack: six registers, then where to return to. At its entry a
  // function's stack is 8 short of a multiple of 16.
  auto* top = reinterpret_cast<void**>(stack_ + bytes_ / 16 * 16) - 1;
  *--top = reinterpret_cast<void*>(&Fiber::Main);
  for (int i = 0; i < 6; ++i) *--top = nullptr;
  sp_ = top;
#else
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_;
  context_.uc_stack.ss_size = bytes_;
  context_.uc_link = nullptr;
  makecontext(&context_, &Fiber::Main, 0);
#endif
}

JIKJI_NEVER_LEFT void Fiber::Main() {
#ifdef JIKJI_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &current->resumer_bottom_, &current->resumer_bytes_);
#endif
  current->function_();
  current->done_ = true;
  current->SwitchOut(/*last=*/true);
}

void Fiber::Resume() {
  current = this;
  SwitchIn();
  current = nullptr;
}

void Fiber::Yield() { current->SwitchOut(/*last=*/false); }

void Fiber::SwitchIn() {
#ifdef JIKJI_ASAN
  __sanitizer_start_switch_fiber(&resumer_fake_stack_, stack_, bytes_);
#endif
#if defined(__x86_64__)
  jikji_switch_stack(&resumer_sp_, sp_);
#else
  swapcontext(&resumer_, &context_);
#endif
#ifdef JIKJI_ASAN
  __sanitizer_finish_switch_fiber(resumer_fake_stack_, nullptr, nullptr);
#endif
}

JIKJI_NEVER_LEFT void Fiber::SwitchOut(bool last) {
#ifdef JIKJI_ASAN
  __sanitizer_start_switch_fiber(last ? nullptr : &fake_stack_, resumer_bottom_, resumer_bytes_);
#endif
#if defined(__x86_64__)
  jikji_switch_stack(&sp_, resumer_sp_);
#else
  swapcontext(&context_, &resumer_);
#endif
#ifdef JIKJI_ASAN
  __sanitizer_finish_switch_fiber(fake_stack_, &resumer_bottom_, &resumer_bytes_);
#endif
}

}  // namespace jikji::device
