// The `messages` of a chat, checked and brought to one form.
#ifndef JIKJI_API_CHAT_MESSAGES_H_
#define JIKJI_API_CHAT_MESSAGES_H_

#include <boost/json/fwd.hpp>
#include <vector>

#include "api/api_error.h"
#include "api/chat_request.h"

namespace jikji {

ApiResult<std::vector<ChatMessage>> ParseChatMessages(const boost::json::object& body);

}  // namespace jikji

#endif  // JIKJI_API_CHAT_MESSAGES_H_
