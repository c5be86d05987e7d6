// SIGINT and SIGTERM as a wish: the first asks, the second ends the process as ever.
#ifndef JIKJI_APP_STOP_SIGNALS_H_
#define JIKJI_APP_STOP_SIGNALS_H_

#include <atomic>

namespace jikji {

// One at a time. The handlers go with the object.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  const std::atomic<bool>& stop() const;
};

}  // namespace jikji

#endif  // JIKJI_APP_STOP_SIGNALS_H_
