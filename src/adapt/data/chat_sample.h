// One sample of a conversation in any of the forms that data sets come in:
//
//   OpenAI    {"messages": [{"role", "content"}, ...]}; content is text, or parts of type text
//   ShareGPT  {"conversations": [{"from": "human", "value"}, ...]}, with "system" beside it or not
//   Alpaca    {"instruction", "input", "output"}, with "system" beside it or not
//
// Contract: a sample that is of no form, or has a part that would be lost, is an error in words
// that need no context. Non-goals: what makes a good conversation (train/chat_documents.h).
#ifndef JIKJI_ADAPT_DATA_CHAT_SAMPLE_H_
#define JIKJI_ADAPT_DATA_CHAT_SAMPLE_H_

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "base/error.h"

namespace jikji {

struct ChatTurn {
  std::string role;  // system, user, assistant or tool
  std::string content;

  bool operator==(const ChatTurn&) const = default;
};

Result<std::vector<ChatTurn>> ReadChatSample(const boost::json::value& sample);

// A list of OpenAI messages, appended to `turns`.
Result<> AppendMessages(const boost::json::value& messages, std::vector<ChatTurn>& turns);

}  // namespace jikji

#endif  // JIKJI_ADAPT_DATA_CHAT_SAMPLE_H_
