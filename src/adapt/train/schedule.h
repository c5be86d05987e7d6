// The learning rate of each step: linear warm-up, then half a cosine down to a floor (Loshchilov &
// Hutter 2017).
#ifndef JIKJI_ADAPT_TRAIN_SCHEDULE_H_
#define JIKJI_ADAPT_TRAIN_SCHEDULE_H_

#include <cstdint>

namespace jikji::train {

struct Schedule {
  double peak = 1e-4;
  double floor = 0;  // at the last step
  int64_t warmup = 0;
  int64_t steps = 1;

  // Of step `step`, from 1 to steps.
  double At(int64_t step) const;
};

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_SCHEDULE_H_
