// What this machine can do at most, measured: the roofline that speeds are told as shares of.
//
// Contract: each limit is the best of several short runs on all threads of the pool together, with
// the instruction set that the kernels use: reading memory that no cache holds; multiply-adds of
// int8, of BF16 and of f32 on registers alone. Takes about a second. Non-goals: writes, latencies,
// caches.
#ifndef JIKJI_MEASURE_MACHINE_LIMITS_H_
#define JIKJI_MEASURE_MACHINE_LIMITS_H_

#include "base/error.h"
#include "base/thread_pool.h"

namespace jikji::measure {

// Per second. A multiply-add is two operations.
struct MachineLimits {
  double read_bytes = 0;
  double int8_ops = 0;
  double bf16_ops = 0;  // f32's where BF16 is not multiplied as such
  double f32_ops = 0;
};

// An error where memory for the reads is short.
Result<MachineLimits> MeasureLimits(ThreadPool& pool);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_MACHINE_LIMITS_H_
