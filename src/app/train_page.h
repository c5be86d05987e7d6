// The live page of a run: its curves and its last line of progress, on loopback, anew every two
// seconds. When the run ends, an open page keeps what it showed last.
//
// Contract: Show may be called on any thread; the page is answered on another. Only `/` exists, and
// only for reading. Non-goals: stopping a run from afar, runs that have ended (curve.svg).
#ifndef JIKJI_APP_TRAIN_PAGE_H_
#define JIKJI_APP_TRAIN_PAGE_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "adapt/train/run.h"
#include "base/error.h"
#include "net/server.h"

namespace jikji {

class TrainPage {
 public:
  // `title`: of the page. `port` 0: any free one. An error where the port is taken.
  static Result<std::unique_ptr<TrainPage>> Start(std::string title, uint16_t port);

  void Show(const train::RunProgress& progress);

  std::string url() const;

 private:
  explicit TrainPage(std::string title) : title_(std::move(title)) {}
  net::Response Answer(const net::Request& request) const;

  std::string title_;
  mutable std::mutex mutex_;
  std::string line_;
  std::vector<train::CurvePoint> points_;
  std::unique_ptr<net::Server> server_;  // the last: it stops before what it reads goes
};

}  // namespace jikji

#endif  // JIKJI_APP_TRAIN_PAGE_H_
