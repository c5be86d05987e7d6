// A rate per minute: a vessel that holds one minute's worth and is refilled without a pause.
//
// Exact in integers: what is in it is counted in units of 1/60,000,000 of what a minute brings, so
// that each microsecond adds a whole number. Refilled by the steady clock; a wall clock that steps
// changes nothing.
#ifndef JIKJI_GOVERN_LEDGER_RATE_H_
#define JIKJI_GOVERN_LEDGER_RATE_H_

#include <algorithm>
#include <cstdint>

namespace jikji {

class Rate {
 public:
  // `per_minute` from 0 to kLargestRate (tenancy/directory.h); full at first.
  Rate(int64_t per_minute, int64_t now) : per_minute_(per_minute), level_(Capacity()), then_(now) {}

  int64_t per_minute() const { return per_minute_; }
  // Keeps what has been taken.
  void SetPerMinute(int64_t per_minute, int64_t now) {
    Refill(now);
    const int64_t taken = Capacity() - level_;
    per_minute_ = per_minute;
    level_ = std::max<int64_t>(0, Capacity() - taken);
  }

  // Whole ones that can be taken now.
  int64_t Available(int64_t now) {
    Refill(now);
    return level_ / kMinute;
  }
  // At most what is available.
  void Take(int64_t count) { level_ -= count * kMinute; }
  void GiveBack(int64_t count) { level_ += std::min(Capacity() - level_, count * kMinute); }
  // Microseconds until `count` can be taken, if nobody else takes; `count` ≤ per_minute.
  int64_t UntilAvailable(int64_t count) const { return Until(count * kMinute); }
  int64_t UntilFull() const { return Until(Capacity()); }

 private:
  static constexpr int64_t kMinute = 60'000'000;  // microseconds

  int64_t Capacity() const { return per_minute_ * kMinute; }
  int64_t Until(int64_t level) const {
    const int64_t missing = level - level_;
    const int64_t refill = std::max<int64_t>(1, per_minute_);
    return missing <= 0 ? 0 : (missing + refill - 1) / refill;
  }
  void Refill(int64_t now) {
    const int64_t passed = std::clamp<int64_t>(now - then_, 0, kMinute);
    then_ = std::max(then_, now);
    level_ += std::min(Capacity() - level_, passed * per_minute_);
  }

  int64_t per_minute_;
  int64_t level_;
  int64_t then_;
};

}  // namespace jikji

#endif  // JIKJI_GOVERN_LEDGER_RATE_H_
