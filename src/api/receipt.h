// The receipt of an answer: what made it, and where the audit log has it.
//
// A receipt names the model by the digest of its files, all that decided the tokens, and the tokens
// by their digests; with the request that was sent, `jikji replay` makes the same answer again, bit
// for bit (promise 1), or says what differs. It holds no text: who keeps it and the request has all
// that is needed, who finds it alone learns nothing. docs/audit.md lists the fields.
#ifndef JIKJI_API_RECEIPT_H_
#define JIKJI_API_RECEIPT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/answer_writer.h"
#include "api/call_record.h"
#include "engine/request.h"

namespace jikji {

// What all answers of a server have in common.
struct ReceiptOrigin {
  std::string program;       // the version
  std::string model_digest;  // "sha256:..."
  std::string isa;
  std::string kv_dtype;
  bool guarded = false;  // prompts may have been masked before they were encoded
};

// What answered beside the base; no name: nothing.
struct ReceiptAdapter {
  std::string name;
  std::string digest;  // "sha256:..."
};

// SHA-256 over the ids, as 32-bit integers, in hexadecimal.
std::string DigestOf(std::span<const TokenId> tokens);

// Everything that decided the tokens beside the prompt, as a JSON object.
std::string ParametersOf(const GenerationRequest& request);

class ReceiptMaker {
 public:
  ReceiptMaker() = default;
  ReceiptMaker(const ReceiptOrigin& origin, const AnswerHead& head, ReceiptAdapter adapter,
               size_t choices_per_prompt);

  // Once for each prompt, in order, as it goes into the engine.
  void AddPrompt(const GenerationRequest& request);
  void AddTokens(size_t choice, std::span<const TokenId> tokens);
  // `whole`: the engine came to an end of its own; what was cut cannot be made again.
  void Finish(size_t choice, std::string_view reason, bool whole);

  // Writes the record; the receipt, as a JSON object.
  ApiResult<std::string> Seal(const CallRecord& record, const AnswerUsage& usage) const;

 private:
  struct Choice {
    std::vector<TokenId> tokens;
    std::string finish;
    bool whole = true;
  };
  struct Prompt {
    int64_t tokens = 0;
    std::string digest;
    std::string parameters;
    std::vector<Choice> choices;
  };
  std::string PromptsJson() const;

  const ReceiptOrigin* origin_ = nullptr;
  std::string kind_, model_;
  ReceiptAdapter adapter_;
  int64_t created_ = 0;
  size_t choices_per_prompt_ = 1;
  std::vector<Prompt> prompts_;
};

}  // namespace jikji

#endif  // JIKJI_API_RECEIPT_H_
