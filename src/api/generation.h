// One call that generates: its requests go into the engine, what they say comes out as one answer,
// whole or streamed.
#ifndef JIKJI_API_GENERATION_H_
#define JIKJI_API_GENERATION_H_

#include <memory>
#include <string>
#include <vector>

#include "api/answer_writer.h"
#include "api/context.h"
#include "api/reply.h"
#include "engine/request.h"

namespace jikji {

// One prompt of a call.
struct PromptJob {
  GenerationRequest request;
  int32_t priority = 0;
  std::string cache_salt;
  // `echo`: what the answer's text begins with.
  std::string echo;
  bool echo_logprobs = false;          // the prompt's tokens lead the log probabilities
  bool write_prompt_logprobs = false;  // `prompt_logprobs` beside the text
};

struct GenerationCall {
  ServedModel model;
  AnswerHead head;
  bool stream = false;
  std::vector<PromptJob> jobs;  // all with the same number of choices
};

// Gets a ticket for each prompt and submits them; all or none. Answers through `reply`, now or
// later, from the engine's thread. If the peer goes away, the requests leave the engine.
// `caller`: who admits; nullptr: the context's issuer.
void Generate(std::shared_ptr<const ApiContext> context, std::shared_ptr<Caller> caller,
              Reply reply, GenerationCall call);

}  // namespace jikji

#endif  // JIKJI_API_GENERATION_H_
