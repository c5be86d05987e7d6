// Chat templates: the part of the Jinja language that real templates use, interpreted in a sandbox.
//
// Contract: output equals jinja2's ImmutableSandboxedEnvironment(trim_blocks=True,
// lstrip_blocks=True) as transformers sets it up (its tojson, strftime_now, raise_exception and
// loopcontrols too), byte for byte, for what is supported. What is not supported is an error on
// Compile, never a wrong rendering. A template cannot reach files, the network or the program's
// memory; its steps, depth and output are limited. Non-goals: inheritance, includes, async, custom
// filters.
#ifndef JIKJI_TEXT_CHAT_TEMPLATE_H_
#define JIKJI_TEXT_CHAT_TEMPLATE_H_

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji {

struct TemplateLimits {
  uint64_t max_steps = 5'000'000;   // expressions evaluated and nodes rendered
  size_t max_output = 64ull << 20;  // bytes, intermediate strings included
  size_t max_depth = 200;           // of nesting in the source, of macro calls, of values
  size_t max_source = 1ull << 20;   // bytes
};

class ChatTemplate {
 public:
  // Errors name line and column.
  static Result<ChatTemplate> Compile(std::string_view source, const TemplateLimits& limits = {});

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  // `variables` is an object: messages, tools, add_generation_prompt, bos_token, ...
  // raise_exception gives kInvalidArgument with the template's message. `now` is what strftime_now
  // formats, in UTC seconds since 1970. Thread-safe.
  Result<std::string> Render(const boost::json::object& variables, int64_t now) const;

 private:
  struct Program;
  explicit ChatTemplate(std::unique_ptr<const Program> program);
  std::unique_ptr<const Program> program_;
};

}  // namespace jikji

#endif  // JIKJI_TEXT_CHAT_TEMPLATE_H_
