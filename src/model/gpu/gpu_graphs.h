// Steps that repeat, recorded: some hundred launches for the price of one.
//
// A step's launches are the same where its shape is: the numbers that its grids and arguments are
// made of. What differs from step to step lies in the device's memory.
#ifndef JIKJI_MODEL_GPU_GPU_GRAPHS_H_
#define JIKJI_MODEL_GPU_GPU_GRAPHS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/error.h"
#include "device/device.h"

namespace jikji {

class GpuGraphs {
 public:
  using Shape = std::vector<int64_t>;

  // Steps of so many rows repeat; wider ones keep a chip busy longer than launches take.
  static constexpr int64_t kMostRows = 256;
  // Rows that a step of `rows` is filled up to, so that shapes are few: 17 up to kMostRows.
  static int32_t PaddedRows(int64_t rows);

  // `alone`: false where other devices do the same launches: all of them record, or none does.
  explicit GpuGraphs(bool alone = true) : alone_(alone) {}

  // Does the launches of `body`: one by one when `shape` comes for the first time, as it may be the
  // last; recorded the second time, and from then on as a graph. Where the device has no memory for
  // another graph, all are given up and the launches are done one by one; kResourceExhausted where
  // it is not alone.
  template <class Body>
  Result<> Run(device::Device& device, const Shape& shape, const Body& body) {
    Entry* const entry = Find(shape);
    if (entry == nullptr) return body();
    if (entry->graph == nullptr) {
      auto graph = device.Record(body);
      if (!graph && alone_ && graph.error().code == ErrorCode::kResourceExhausted) {
        JIKJI_RETURN_IF_ERROR(device.Synchronize());  // one of them may run
        entries_.clear();
        return body();
      }
      JIKJI_ASSIGN(entry->graph, std::move(graph));
    }
    return device.Launch(*entry->graph);
  }

 private:
  struct Entry {
    std::unique_ptr<device::Graph> graph;
    uint64_t used = 0;  // in which run
  };

  // nullptr where the shape is new; then it is noted, in the place of the one longest unused.
  Entry* Find(const Shape& shape);

  bool alone_;
  std::map<Shape, Entry> entries_;
  uint64_t runs_ = 0;
};

}  // namespace jikji

#endif  // JIKJI_MODEL_GPU_GPU_GRAPHS_H_
