// What is to happen to a site, beside requests, in the order of time.
#ifndef JIKJI_TWIN_INCIDENTS_H_
#define JIKJI_TWIN_INCIDENTS_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <queue>
#include <vector>

namespace jikji::twin {

struct Incident {
  enum class Kind : uint8_t { kFail, kRepair, kLoaded, kEventBegin, kEventDue, kEventEnd };
  double time;
  uint64_t order;  // ties in the order in which they were made
  Kind kind;
  int32_t index;        // node, or event
  uint32_t generation;  // of a node: an incident of an earlier one is void
  bool operator>(const Incident& other) const {
    return time > other.time || (time == other.time && order > other.order);
  }
};

// Incidents of nodes are void once their node has begun a new life (Renew).
class Incidents {
 public:
  explicit Incidents(size_t nodes) : generations_(nodes, 0) {}

  void Add(double time, Incident::Kind kind, int32_t index) {
    const uint32_t generation = OfNode(kind) ? generations_[static_cast<size_t>(index)] : 0;
    queue_.push({time, order_++, kind, index, generation});
  }
  void Renew(int32_t node) { ++generations_[static_cast<size_t>(node)]; }

  double first_time() const {
    return queue_.empty() ? std::numeric_limits<double>::infinity() : queue_.top().time;
  }
  Incident Pop() {
    const Incident incident = queue_.top();
    queue_.pop();
    return incident;
  }
  template <class Stream>
  void Exchange(Stream& stream) {
    std::vector<Incident> waiting;
    for (; !queue_.empty(); queue_.pop()) waiting.push_back(queue_.top());
    stream.List(waiting);
    for (const Incident& incident : waiting) queue_.push(incident);
    stream.List(generations_);
    stream.Plain(order_);
  }

  bool IsVoid(const Incident& incident) const {
    return OfNode(incident.kind) &&
           incident.generation != generations_[static_cast<size_t>(incident.index)];
  }

 private:
  static bool OfNode(Incident::Kind kind) { return kind < Incident::Kind::kEventBegin; }

  std::priority_queue<Incident, std::vector<Incident>, std::greater<>> queue_;
  std::vector<uint32_t> generations_;
  uint64_t order_ = 0;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_INCIDENTS_H_
