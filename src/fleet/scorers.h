// The scores by which llm-d and NVIDIA Dynamo choose a node, as their documents define them: what
// our own routing is measured against.
//
// Sources: llm-d-router, pkg/epp/framework/plugins/scheduling (prefix, queue and KV scorers);
// Dynamo, docs/design-docs/router-design.md.
#ifndef JIKJI_FLEET_SCORERS_H_
#define JIKJI_FLEET_SCORERS_H_

#include <cstdint>

#include "fleet/site.h"

namespace jikji::fleet {

struct QueueRange {
  int32_t least = 0;
  int32_t most = 0;
};
// Over the requests that wait at the nodes of a pool.
QueueRange RangeOfQueues(const Snapshot& site, const Pool& pool);

// The weighted mean of prefix (w·min(1, matched/8192)² + (1−w)·matched/total, w = ½), queue
// ((most − q) / (most − least)) and free KV cache (1 − use), weighted 3:2:2. Higher is better.
double LlmDScore(const NodeLoad& load, QueueRange queues, int64_t cached_tokens,
                 int64_t prompt_tokens);

// Blocks of prompt to compute plus blocks that decode holds. Lower is better.
double DynamoCost(const NodeLoad& load, int64_t cached_tokens, int64_t prompt_tokens,
                  int64_t block_tokens);

}  // namespace jikji::fleet

#endif  // JIKJI_FLEET_SCORERS_H_
