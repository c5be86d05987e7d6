#include "text/chat_template.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <string>

#include "base/file.h"
#include "base/json.h"

namespace jikji {
namespace {

Result<std::string> Render(std::string_view source, std::string_view variables = "{}",
                           const TemplateLimits& limits = {}) {
  JIKJI_ASSIGN(const auto compiled, ChatTemplate::Compile(source, limits));
  JIKJI_ASSIGN(const auto json, ParseJson(variables));
  return compiled.Render(json.as_object(), 1'767'225'600);  // 2026-01-01
}

TEST(ChatTemplateTest, RendersTheBuiltInModelsTemplate) {
  const auto source =
      ReadFile(JIKJI_SOURCE_DIR "/models/jikji-mini-ko/chat_template.jinja", 1 << 20);
  ASSERT_TRUE(source);
  const auto text = Render(*source, R"({"bos_token": "<s>", "add_generation_prompt": true,
      "messages": [{"role": "system", "content": " 친절하게. "},
                   {"role": "user", "content": "안녕?\n"}]})");
  ASSERT_TRUE(text) << text.error().ToString();
  EXPECT_EQ(*text, "<s><|system|>친절하게.<|end|><|user|>안녕?<|end|><|assistant|>");
}

}  // namespace
}  // namespace jikji
