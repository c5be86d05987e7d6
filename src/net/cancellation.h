// A wish, from any thread, that an exchange under way end now.
#ifndef JIKJI_NET_CANCELLATION_H_
#define JIKJI_NET_CANCELLATION_H_

namespace jikji::net {

// For good: exchanges that wait fail with kCancelled, and so do those that begin later, at their
// first wait. Outlives the exchanges that it is given to.
class Cancellation {
 public:
  Cancellation();
  ~Cancellation();
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  void Cancel();
  // Readable once cancelled; -1 where the system had none left, so that nothing is cancelled.
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace jikji::net

#endif  // JIKJI_NET_CANCELLATION_H_
