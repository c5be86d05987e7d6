// A server under load, as its OpenAI API shows it: works with Jikji, vLLM and llama-server.
//
// Prompts go as token ids, so that every server gets exactly the same number of tokens. Ends of
// text are ignored and special tokens shown, so that every output has its full length and every
// token can be seen to arrive.
#ifndef JIKJI_MEASURE_LOAD_TARGET_H_
#define JIKJI_MEASURE_LOAD_TARGET_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "measure/load_plan.h"

namespace jikji::measure {

// What became of one request. Times in seconds from when it should have begun.
struct LoadOutcome {
  bool finished = false;
  std::string error = {};  // why not
  double began = 0;        // seconds after the start of the load
  double first = 0;        // until the first text
  double total = 0;
  std::vector<double> gaps = {};  // between pieces of text
  int64_t prompt_tokens = 0, output_tokens = 0, cached_tokens = 0;
};

class LoadTarget {
 public:
  // Asks the server for its model and for tokens to make prompts of. `url` is http://host:port,
  // with or without /v1.
  static Result<LoadTarget> Open(std::string url, std::string api_key);

  const std::string& model() const { return model_; }
  int64_t context() const { return context_; }  // tokens; 0 where the server does not tell
  const std::vector<int32_t>& tokens() const { return tokens_; }

  // Times count from `due`. At `deadline` the request is given up. Thread-safe.
  LoadOutcome Run(const LoadRequest& request, std::chrono::steady_clock::time_point due,
                  std::chrono::steady_clock::time_point deadline) const;

 private:
  std::string url_, api_key_, model_;
  int64_t context_ = 0;
  std::vector<int32_t> tokens_;
};

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_LOAD_TARGET_H_
