// Counts what happens between two points of a report's series, and makes the next point of it.
#ifndef JIKJI_TWIN_SERIES_SAMPLER_H_
#define JIKJI_TWIN_SERIES_SAMPLER_H_

#include <cstdint>
#include <utility>

#include "fleet/site.h"
#include "twin/power_control.h"
#include "twin/site_report.h"

namespace jikji::twin {

class SeriesSampler {
 public:
  explicit SeriesSampler(double seconds) : seconds_(seconds) {}

  void Offered() { ++offered_; }
  void FirstToken(double ttft) {
    ttft_ += ttft;
    ++first_;
  }
  void Output(double tokens) { output_ += tokens; }

  SeriesPoint Take(double now, const PowerControl& power, const fleet::Snapshot& site,
                   size_t deferred) {
    SeriesPoint point;
    point.hour = now / 3600;
    point.requests_per_second = static_cast<double>(std::exchange(offered_, 0)) / seconds_;
    point.output_tokens_per_second = std::exchange(output_, 0) / seconds_;
    point.mean_ttft_s = first_ > 0 ? ttft_ / static_cast<double>(first_) : 0;
    ttft_ = 0;
    first_ = 0;
    point.meter_mw = power.meter_mw();
    point.envelope_mw = power.envelope_mw();
    point.won_per_kwh = power.price();
    point.serving_nodes = static_cast<int32_t>(site.pools[0].nodes.size());
    for (const fleet::NodeLoad& load : site.loads) {
      point.active_requests += load.running + load.waiting;
    }
    point.deferred_requests = static_cast<int64_t>(deferred);
    return point;
  }

  template <class Stream>
  void Exchange(Stream& stream) {
    stream.Plain(offered_, first_, output_, ttft_);
  }

 private:
  const double seconds_;
  int64_t offered_ = 0, first_ = 0;
  double output_ = 0, ttft_ = 0;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_SERIES_SAMPLER_H_
