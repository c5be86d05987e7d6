// Makes the answer of a receipt again, from the request that was sent, and compares.
//
// Non-goals: an audit log (the receipt names its record; `jikji audit prove` proves it).
#ifndef JIKJI_API_REPLAY_H_
#define JIKJI_API_REPLAY_H_

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "api/api_error.h"
#include "api/context.h"

namespace jikji {

// What the engine must be started as.
struct ReplaySetting {
  std::string isa;
  std::string kv_dtype;
};

// What is to be made again.
struct KeptAnswer {
  boost::json::object receipt;
  std::vector<std::string> texts;  // of the choices, in order; empty: the receipt alone was kept
};

// Of a JSON text: a receipt, or an answer that has one.
Result<KeptAnswer> ReadKeptAnswer(std::string_view json, std::string_view where);
Result<ReplaySetting> SettingOf(const boost::json::object& receipt);

struct ReplayedChoice {
  std::string text;
  int64_t tokens = 0;
  bool same = false;       // the digest of its tokens is the receipt's
  bool compared = true;    // false: it was cut, so its length was chance
  bool retouched = false;  // the kept text is not that of these tokens
};

// Every choice, in order. An error: the receipt is of another model, machine, request or
// parameters. `context.options.guard` must be the server's, where prompts are masked; such a
// server may have masked answers too, so their kept texts are not compared.
ApiResult<std::vector<ReplayedChoice>> Replay(const ApiContext& context, const KeptAnswer& kept,
                                              std::string_view body);

}  // namespace jikji

#endif  // JIKJI_API_REPLAY_H_
