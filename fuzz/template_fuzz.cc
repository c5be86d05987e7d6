// Any template, with variables as a chat server gives them: an error or a text, in bounded time.
#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const boost::json::object variables = boost::json::parse(R"({
    "messages": [{"role": "system", "content": " 친절하게 "}, {"role": "user", "content": "안녕 👋🏽"},
                 {"role": "assistant", "content": null, "tool_calls": [
                   {"id": "abc123def", "function": {"name": "f", "arguments": {"x": [1, 2.5, true]}}}]},
                 {"role": "tool", "content": [{"type": "text", "text": "a</think>b"}]}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": {}}}}],
    "add_generation_prompt": true, "bos_token": "<s>", "n": -7, "xs": [3, 1, 2], "s": "Hello"})")
                                                   .as_object();
  // Small limits: a slow input is a finding, a large one is not.
  const jikji::TemplateLimits limits{
      .max_steps = 20'000, .max_output = 1 << 20, .max_depth = 50, .max_source = 1 << 16};
  const auto compiled =
      jikji::ChatTemplate::Compile({reinterpret_cast<const char*>(data), size}, limits);
  if (compiled) (void)compiled->Render(variables, 1'767'225'600);
  return 0;
}
