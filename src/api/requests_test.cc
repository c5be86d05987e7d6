// Bodies of /v1/chat/completions and /v1/completions: what is read, what is refused, and how.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "api/chat_request.h"
#include "api/completion_request.h"

namespace jikji {
namespace {

// A chat with one message and `more` fields.
std::string Chat(std::string_view more) {
  return fmt::format(R"({{"messages":[{{"role":"user","content":"hi"}}]{}{}}})",
                     more.empty() ? "" : ",", more);
}
std::string Completion(std::string_view more) {
  return fmt::format(R"({{"prompt":"hi"{}{}}})", more.empty() ? "" : ",", more);
}

TEST(ChatRequestTest, ReadsEveryField) {
  const auto request = ParseChatRequest(Chat(
      R"("model":"m","temperature":0.5,"top_p":0.9,"top_k":40,"min_p":0.1,"repetition_penalty":1.1,
      "presence_penalty":-2,"frequency_penalty":2,"seed":-7,"logit_bias":{"5":-100,"6":1.5},"n":3,
      "max_tokens":9,"max_completion_tokens":11,"min_tokens":2,"stop":["a","b"],
      "stop_token_ids":[1,2],"ignore_eos":true,"include_stop_str_in_output":true,
      "skip_special_tokens":false,"priority":-4,"cache_salt":"s","request_id":"r","stream":true,
      "stream_options":{"include_usage":true,"continuous_usage_stats":true},"logprobs":true,
      "top_logprobs":20,"user":"u","metadata":{"a":1},"chat_template_kwargs":{"thinking":false},
      "reasoning_effort":"low","response_format":{"type":"text"},"tool_choice":"none",
      "modalities":["text"],"future_field":1)"));
  ASSERT_TRUE(request.has_value()) << request.error().message;
  const GenerationFields& common = request->common;
  EXPECT_EQ(common.model, "m");
  EXPECT_EQ(common.temperature, 0.5);
  EXPECT_EQ(common.top_p, 0.9);
  EXPECT_EQ(common.top_k, 40);
  EXPECT_EQ(common.min_p, 0.1);
  EXPECT_EQ(common.repetition_penalty, 1.1);
  EXPECT_EQ(common.presence_penalty, -2);
  EXPECT_EQ(common.frequency_penalty, 2);
  EXPECT_EQ(common.seed, -7);
  EXPECT_EQ(common.logit_bias, (std::vector<std::pair<TokenId, float>>{{5, -100.f}, {6, 1.5f}}));
  EXPECT_EQ(common.n, 3);
  EXPECT_EQ(common.max_tokens, 11);
  EXPECT_EQ(common.max_tokens_field, "max_completion_tokens");
  EXPECT_EQ(common.min_tokens, 2);
  EXPECT_EQ(common.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(common.stop_token_ids, (std::vector<TokenId>{1, 2}));
  EXPECT_TRUE(common.ignore_eos && common.include_stop_text && !common.skip_special);
  EXPECT_EQ(common.priority, -4);
  EXPECT_EQ(common.cache_salt, "s");
  EXPECT_EQ(common.request_id, "r");
  EXPECT_TRUE(common.stream && common.include_usage && common.continuous_usage);
  EXPECT_EQ(request->logprobs, 20);
  EXPECT_EQ(common.unknown, std::vector<std::string>{"future_field"});
  EXPECT_EQ(request->turns.template_variables->at("thinking"), false);
  EXPECT_EQ(request->turns.template_variables->at("reasoning_effort"), "low");
}

TEST(ChatRequestTest, NullsMeanAbsent) {
  const auto request = ParseChatRequest(Chat(
      R"("model":null,"temperature":null,"stop":null,"max_tokens":null,"tools":null,"n":null,
      "stream":null,"stream_options":null,"logprobs":null,"top_logprobs":null,"logit_bias":null,
      "response_format":null,"functions":null,"audio":null,"seed":null)"));
  ASSERT_TRUE(request.has_value()) << request.error().message;
  EXPECT_EQ(request->common.n, 1);
  EXPECT_FALSE(request->common.temperature.has_value());
  EXPECT_EQ(request->logprobs, -1);
}

struct BadBody {
  const char* fields;
  const char* param;
};

TEST(ChatRequestTest, RefusesWithTheFieldsName) {
  for (const BadBody& bad : std::initializer_list<BadBody>{
           {R"("temperature":2.1)", "temperature"},
           {R"("temperature":-0.1)", "temperature"},
           {R"("temperature":"1")", "temperature"},
           {R"("temperature":1e999)", "temperature"},
           {R"("top_p":1.1)", "top_p"},
           {R"("top_k":-2)", "top_k"},
           {R"("top_k":1.5)", "top_k"},
           {R"("min_p":2)", "min_p"},
           {R"("repetition_penalty":0)", "repetition_penalty"},
           {R"("presence_penalty":2.5)", "presence_penalty"},
           {R"("frequency_penalty":-3)", "frequency_penalty"},
           {R"("n":0)", "n"},
           {R"("n":129)", "n"},
           {R"("n":true)", "n"},
           {R"("max_tokens":-1)", "max_tokens"},
           {R"("max_completion_tokens":1e30)", "max_completion_tokens"},
           {R"("min_tokens":-1)", "min_tokens"},
           {R"("stop":["a","b","c","d","e"])", "stop"},
           {R"("stop":[""])", "stop"},
           {R"("stop":5)", "stop"},
           {R"("stop":[5])", "stop"},
           {R"("stop_token_ids":[-1])", "stop_token_ids"},
           {R"("stop_token_ids":["1"])", "stop_token_ids"},
           {R"("logit_bias":{"x":1})", "logit_bias"},
           {R"("logit_bias":{"-1":1})", "logit_bias"},
           {R"("logit_bias":{"1":101})", "logit_bias"},
           {R"("logit_bias":{"1":"2"})", "logit_bias"},
           {R"("logit_bias":[1])", "logit_bias"},
           {R"("stream":"yes")", "stream"},
           {R"("stream_options":{"include_usage":true})", "stream_options"},
           {R"("stream":true,"stream_options":{"include_usage":1})",
            "stream_options.include_usage"},
           {R"("stream":true,"stream_options":{"include_obfuscation":true})",
            "stream_options.include_obfuscation"},
           {R"("logprobs":3)", "logprobs"},
           {R"("top_logprobs":3)", "top_logprobs"},
           {R"("logprobs":true,"top_logprobs":21)", "top_logprobs"},
           {R"("tools":[])", "tools"},
           {R"("tools":[{"type":"function","function":{"name":"f"}}])", "tools"},
           {R"("tool_choice":"auto")", "tool_choice"},
           {R"("tool_choice":{"type":"function","function":{"name":"f"}})", "tool_choice"},
           {R"("functions":[])", "functions"},
           {R"("function_call":"auto")", "function_call"},
           {R"("response_format":{"type":"json_object"})", "response_format"},
           {R"("response_format":{"type":"json_schema"})", "response_format"},
           {R"("response_format":{})", "response_format"},
           {R"("response_format":"text")", "response_format"},
           {R"("modalities":["text","audio"])", "modalities"},
           {R"("audio":{"voice":"x"})", "audio"},
           {R"("structured_outputs":{"json":{}})", "structured_outputs"},
           {R"("guided_json":{})", "guided_json"},
           {R"("guided_regex":"a")", "guided_regex"},
           {R"("use_beam_search":true)", "use_beam_search"},
           {R"("allowed_token_ids":[1])", "allowed_token_ids"},
           {R"("bad_words":["x"])", "bad_words"},
           {R"("truncate_prompt_tokens":5)", "truncate_prompt_tokens"},
           {R"("chat_template":"{{ 1 }}")", "chat_template"},
           {R"("documents":[])", "documents"},
           {R"("echo":true)", "echo"},
           {R"("prompt_logprobs":0)", "prompt_logprobs"},
           {R"("suffix":"x")", "suffix"},
           {R"("suffix":1)", "suffix"},
           {R"("prompt_embeds":"x")", "prompt_embeds"},
           {R"("verbosity":"low")", "verbosity"},
           {R"("store":true)", "store"},
           {R"("return_token_ids":true)", "return_token_ids"},
           {R"("cache_salt":"")", "cache_salt"},
           {R"("request_id":"a b")", "request_id"},
           {R"("priority":1e10)", "priority"},
           {R"("chat_template_kwargs":{"messages":[]})", "chat_template_kwargs"},
           {R"("chat_template_kwargs":[])", "chat_template_kwargs"},
           {R"("continue_final_message":true,"add_generation_prompt":true)",
            "continue_final_message"}}) {
    const auto request = ParseChatRequest(Chat(bad.fields));
    ASSERT_FALSE(request.has_value()) << bad.fields;
    EXPECT_EQ(request.error().status, 400) << bad.fields;
    EXPECT_EQ(request.error().type, "invalid_request_error");
    EXPECT_EQ(request.error().param, bad.param) << bad.fields;
  }
}

TEST(ChatRequestTest, LetsPassWhatAsksForNothing) {
  const auto request = ParseChatRequest(
      Chat(R"("store":false,"return_token_ids":false,"echo":false,"suffix":"","verbosity":null,
      "parallel_tool_calls":true)"));
  ASSERT_TRUE(request.has_value()) << request.error().message;
  EXPECT_TRUE(request->common.unknown.empty());
}

TEST(ChatRequestTest, SaysWhatWouldBeRight) {
  const auto message = [](std::string_view fields) {
    const auto request = ParseChatRequest(Chat(fields));
    return request.has_value() ? "" : request.error().message;
  };
  const std::string seed =
      "`seed` must be an integer from -9223372036854775808 to 9223372036854775807";
  EXPECT_EQ(message(R"("seed":1.5)"), seed);
  EXPECT_EQ(message(R"("seed":9223372036854775808)"), seed);
  EXPECT_EQ(message(R"("seed":9223372036854775807)"), "");
  EXPECT_EQ(message(R"("seed":"7")"), "`seed` must be an integer, not string");
  EXPECT_EQ(message(R"("tools":[])"), "`tools` is not supported by this server; leave it out");
  EXPECT_EQ(message(R"("echo":true)"), "`echo` belongs to /v1/completions; leave it out");
  for (const char* text : {R"("a\ud800")", R"("\ud800x")", R"("\udc00")", R"("\ud800\ud800")"}) {
    EXPECT_NE(message(fmt::format(R"("user":{})", text)).find("unpaired surrogate"),
              std::string::npos)
        << text;
  }
}

TEST(ChatRequestTest, RefusesBodiesThatAreNoRequest) {
  for (const char* body : {"", "{", "[]", "null", "3", "{}", R"({"messages":null})",
                           R"({"messages":[]})", R"({"messages":{}})", R"({"messages":["hi"]})",
                           "{\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}",
                           R"({"messages":[{"role":"user","content":"\ud800"}]})",
                           R"({"messages":[{"role":"user","content":"x"}]} {})"}) {
    const auto request = ParseChatRequest(body);
    ASSERT_FALSE(request.has_value()) << body;
    EXPECT_EQ(request.error().status, 400) << body;
  }
  EXPECT_FALSE(ParseChatRequest("{\"a\":" + std::string(100'000, '[')).has_value());
}

TEST(ChatRequestTest, RefusesMessagesByTheirPath) {
  for (const BadBody& bad : std::initializer_list<BadBody>{
           {R"({"content":"x"})", "messages[0].role"},
           {R"({"role":"emperor","content":"x"})", "messages[0].role"},
           {R"({"role":1,"content":"x"})", "messages[0].role"},
           {R"({"role":"user"})", "messages[0].content"},
           {R"({"role":"user","content":null})", "messages[0].content"},
           {R"({"role":"user","content":5})", "messages[0].content"},
           {R"({"role":"user","content":["x"]})", "messages[0].content[0]"},
           {R"({"role":"user","content":[{"text":"x"}]})", "messages[0].content[0]"},
           {R"({"role":"user","content":[{"type":"text"}]})", "messages[0].content[0]"},
           {R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]})",
            "messages[0].content[0].type"},
           {R"({"role":"user","content":"x","name":1})", "messages[0].name"},
           {R"({"role":"user","content":"x","tool_calls":[{"function":{"name":"f"}}]})",
            "messages[0].tool_calls"},
           {R"({"role":"assistant","tool_calls":[{"type":"function"}]})",
            "messages[0].tool_calls[0].function"},
           {R"({"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"["}}]})",
            "messages[0].tool_calls[0].function.arguments"},
           {R"({"role":"assistant","audio":{"id":"x"}})", "messages[0].audio"}}) {
    const auto request = ParseChatRequest(fmt::format(R"({{"messages":[{}]}})", bad.fields));
    ASSERT_FALSE(request.has_value()) << bad.fields;
    EXPECT_EQ(request.error().param, bad.param) << bad.fields;
  }
}

TEST(ChatRequestTest, BringsMessagesToOneForm) {
  // Decomposed Hangul, as a macOS keyboard or file name gives it.
  const auto request = ParseChatRequest(
      R"({"messages":[{"role":"developer","content":"rules"},
      {"role":"user","content":[{"type":"text","text":"\u1112\u1161\u11ab"},{"type":"text","text":"b"}]},
      {"role":"assistant","content":null,"reasoning_content":"why",
       "tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},
      {"role":"tool","tool_call_id":"1","content":"done"}]})");
  ASSERT_TRUE(request.has_value()) << request.error().message;
  const auto& messages = request->turns.messages;
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_EQ(messages[0].role, "system");
  EXPECT_EQ(messages[1].content, "한\nb");
  EXPECT_EQ(messages[2].content, "");
  EXPECT_EQ(messages[2].reasoning, "why");
  ASSERT_EQ(messages[2].tool_calls.size(), 1u);
  EXPECT_EQ(messages[2].tool_calls[0].arguments, R"({"a":1})");
  EXPECT_EQ(messages[3].tool_call_id, "1");
}

TEST(CompletionRequestTest, TakesTheFourFormsOfPrompt) {
  const auto prompts = [](const char* prompt) {
    return ParseCompletionRequest(fmt::format(R"({{"prompt":{}}})", prompt));
  };
  EXPECT_EQ(std::get<std::string>(prompts(R"("a")")->prompts.at(0)), "a");
  EXPECT_EQ(prompts(R"(["a","b"])")->prompts.size(), 2u);
  EXPECT_EQ(std::get<std::vector<TokenId>>(prompts("[1,2,3]")->prompts.at(0)).size(), 3u);
  EXPECT_EQ(prompts("[[1],[2,3]]")->prompts.size(), 2u);
  for (const char* bad : {"null", "5", "{}", "[]", "[[]]", "[1,\"a\"]", "[1.5]", "[-1]", "[true]",
                          "[[1,-1]]", "[4294967296]"}) {
    const auto request = prompts(bad);
    ASSERT_FALSE(request.has_value()) << bad;
    EXPECT_EQ(request.error().param, "prompt");
  }
}

TEST(CompletionRequestTest, DefaultsAndRefusals) {
  const auto plain = ParseCompletionRequest(Completion(""));
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->common.max_tokens, 16);
  EXPECT_TRUE(plain->add_special_tokens);
  EXPECT_EQ(plain->logprobs, -1);
  EXPECT_TRUE(ParseCompletionRequest(Completion(R"("n":2,"best_of":2,"suffix":"")")).has_value());
  for (const BadBody& bad : std::initializer_list<BadBody>{
           {R"("best_of":2)", "best_of"},
           {R"("suffix":"x")", "suffix"},
           {R"("prompt_embeds":"x")", "prompt_embeds"},
           {R"("verbosity":"low")", "verbosity"},
           {R"("logprobs":true)", "logprobs"},
           {R"("logprobs":21)", "logprobs"},
           {R"("prompt_logprobs":-1)", "prompt_logprobs"},
           {R"("prompt_logprobs":1,"stream":true)", "prompt_logprobs"},
           {R"("response_format":{"type":"json_object"})", "response_format"},
           {R"("echo":1)", "echo"}}) {
    const auto request = ParseCompletionRequest(Completion(bad.fields));
    ASSERT_FALSE(request.has_value()) << bad.fields;
    EXPECT_EQ(request.error().param, bad.param);
  }
}

}  // namespace
}  // namespace jikji
