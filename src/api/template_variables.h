// What a chat template sees of a request, and the same with risky stretches of text replaced.
#ifndef JIKJI_API_TEMPLATE_VARIABLES_H_
#define JIKJI_API_TEMPLATE_VARIABLES_H_

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "api/chat_request.h"
#include "api/special_spellings.h"
#include "api/stand_ins.h"

namespace jikji {

// messages, tools and documents (null), add_generation_prompt, bos_token and eos_token where the
// model has them, and the request's own variables: as transformers names them.
boost::json::object TemplateVariables(const ChatTurns& turns, const std::string& bos_token,
                                      const std::string& eos_token);

struct ProtectedVariables {
  boost::json::object variables;
  bool has_spelling = false;  // a text spells a special token
  bool has_fragment = false;  // a text could, with what the template puts beside it
};

// `variables` with stand-ins for what spells a special token in the text of messages (roles aside)
// or of the request's own variables, and for the ends of message texts that could spell one with
// what stands beside them.
ProtectedVariables ProtectVariables(const boost::json::object& variables, const ChatTurns& turns,
                                    const SpecialSpellings& spellings,
                                    std::string_view template_source, StandIns& stand_ins);

}  // namespace jikji

#endif  // JIKJI_API_TEMPLATE_VARIABLES_H_
