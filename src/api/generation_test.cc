// Chat and plain completions: streams, whole answers, errors and cancellation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "api/fakes.h"

namespace jikji {
namespace {

using boost::json::value;

std::string Body(std::string_view fields) {
  return R"({"messages":[{"role":"user","content":"hi"}])" +
         (fields.empty() ? "" : "," + std::string(fields)) + "}";
}

std::vector<value> Chunks(const FakeResponder& answer) {
  std::vector<value> chunks;
  for (const std::string& event : answer.Events()) {
    if (event != "[DONE]") chunks.push_back(FakeResponder::Parse(event));
  }
  return chunks;
}

const value& ErrorIn(const value& body) { return body.at("error"); }

TEST(Chat, TheWholeAnswer) {
  FakeServer server;
  const auto answer =
      server.Ask("POST", "/v1/chat/completions", Body(""), {{"X-Request-Id", "r7"}});
  ASSERT_EQ(server.engine.submitted.size(), 1u);
  EXPECT_FALSE(answer->answered);
  server.Say(0, "안");
  server.Say(0, "녕");
  server.End(0, 6);
  ASSERT_TRUE(answer->ended);
  EXPECT_EQ(answer->head.status, 200);
  const value body = answer->Json();
  EXPECT_EQ(body.at("id"), "chatcmpl-r7");
  EXPECT_EQ(body.at("object"), "chat.completion");
  EXPECT_EQ(body.at("model"), "fake");
  EXPECT_GT(body.at("created").as_int64(), 0);
  EXPECT_EQ(body.at("choices"),
            FakeResponder::Parse(
                R"([{"index":0,"message":{"role":"assistant","content":"안녕","refusal":null},
                "logprobs":null,"finish_reason":"stop","stop_reason":null}])"));
  // <|bos|><|user|>hi<|end|><|assistant|>
  EXPECT_EQ(body.at("usage"), FakeResponder::Parse(
                                  R"({"prompt_tokens":6,"completion_tokens":6,"total_tokens":12,
                "prompt_tokens_details":{"cached_tokens":0},
                "completion_tokens_details":{"reasoning_tokens":0}})"));
}

TEST(Chat, TheStreamIsFramedAsClientsExpect) {
  FakeServer server;
  const auto answer = server.Post("/v1/chat/completions",
                                  Body(R"("stream":true,"stream_options":{"include_usage":true})"));
  EXPECT_EQ(answer->head.content_type, "text/event-stream");
  EXPECT_EQ(answer->Header("Cache-Control"), "no-cache");
  EXPECT_EQ(answer->Header("X-Accel-Buffering"), "no");
  server.Say(0, "a\n\"b");
  server.Say(0, "");  // nothing certain yet: nothing is sent
  server.Say(0, "글");
  server.End(0, 7, FinishReason::kLength);
  ASSERT_TRUE(answer->ended);
  const auto events = answer->Events();
  EXPECT_EQ(events.back(), "[DONE]");
  const auto chunks = Chunks(*answer);
  ASSERT_EQ(chunks.size(), 5u);
  const auto choice = [&](size_t i) -> const value& { return chunks[i].at("choices").at(0); };
  EXPECT_EQ(choice(0).at("delta"), FakeResponder::Parse(R"({"role":"assistant","content":""})"));
  EXPECT_EQ(choice(1).at("delta"), FakeResponder::Parse(R"({"content":"a\n\"b"})"));
  EXPECT_EQ(choice(2).at("delta"), FakeResponder::Parse(R"({"content":"글"})"));
  EXPECT_EQ(choice(3).at("delta"), FakeResponder::Parse("{}"));
  EXPECT_EQ(choice(3).at("finish_reason"), "length");
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(chunks[i].at("usage").is_null());
    if (i < 3) {
      EXPECT_TRUE(choice(i).at("finish_reason").is_null());
    }
    EXPECT_EQ(chunks[i].at("id"), chunks[0].at("id"));
    EXPECT_EQ(chunks[i].at("created"), chunks[0].at("created"));
    EXPECT_EQ(chunks[i].at("object"), "chat.completion.chunk");
  }
  EXPECT_TRUE(chunks[4].at("choices").as_array().empty());
  EXPECT_EQ(chunks[4].at("usage").at("completion_tokens"), 7);
}

TEST(Chat, WithoutTheWishThereIsNoUsageInAStream) {
  FakeServer server;
  const auto answer = server.Post("/v1/chat/completions", Body(R"("stream":true)"));
  server.End(0, 0);
  for (const value& chunk : Chunks(*answer)) EXPECT_FALSE(chunk.as_object().contains("usage"));
}

TEST(Chat, LogprobsTellEveryByte) {
  FakeServer server;
  const auto answer =
      server.Post("/v1/chat/completions", Body(R"("logprobs":true,"top_logprobs":2)"));
  EXPECT_EQ(server.engine.submitted[0].request.logprobs, 2);
  server.Say(0, "é");  // two tokens, each half a character
  server.End(0, 2);
  const value content = answer->Json().at("choices").at(0).at("logprobs").at("content");
  ASSERT_EQ(content.as_array().size(), 2u);
  EXPECT_EQ(content.at(0), FakeResponder::Parse(
                               R"({"token":"�","logprob":-0.5,"bytes":[195],"top_logprobs":[
                {"token":"�","logprob":-0.5,"bytes":[195]},
                {"token":"�","logprob":-1.5,"bytes":[196]}]})"));
  EXPECT_EQ(content.at(1).at("bytes"), FakeResponder::Parse("[169]"));
}

TEST(Completions, LogprobsHaveOffsetsInCharacters) {
  FakeServer server;
  const auto answer = server.Post(
      "/v1/completions", R"({"prompt":"가b","echo":true,"logprobs":1,"add_special_tokens":false})");
  const GenerationRequest& request = server.engine.submitted[0].request;
  EXPECT_EQ(request.prompt_logprobs, 1);
  Delta delta = FakeServer::Spoken(request, "나c");
  for (size_t i = 1; i < request.prompt.size(); ++i) {
    delta.prompt_logprobs.push_back({.token = request.prompt[i], .logprob = -1, .top = {}});
  }
  server.engine.submitted[0].sink(std::move(delta));
  server.End(0, 4);
  const value choice = answer->Json().at("choices").at(0);
  EXPECT_EQ(choice.at("text"), "가b나c");
  const value& logprobs = choice.at("logprobs");
  EXPECT_EQ(logprobs.at("text_offset"), FakeResponder::Parse("[0,0,0,1,2,2,2,3]"));
  EXPECT_EQ(logprobs.at("tokens").as_array().size(), 8u);
  EXPECT_TRUE(logprobs.at("token_logprobs").at(0).is_null());
  EXPECT_TRUE(logprobs.at("top_logprobs").at(0).is_null());
  EXPECT_EQ(logprobs.at("token_logprobs").at(1), -1);
  EXPECT_EQ(logprobs.at("top_logprobs").at(3), FakeResponder::Parse(R"({"b":-1})"));
  EXPECT_EQ(logprobs.at("top_logprobs").at(7), FakeResponder::Parse(R"({"c":-0.5})"));
}

TEST(Completions, PromptLogprobsAndEchoReachEveryChoice) {
  FakeServer server;
  const auto answer = server.Post("/v1/completions",
                                  R"({"prompt":[65,66],"echo":true,"logprobs":0,"n":2,
                                  "prompt_logprobs":1})");
  const GenerationRequest& request = server.engine.submitted[0].request;
  EXPECT_EQ(request.prompt_logprobs, 1);
  server.Say(0, "y", 1);  // before choice 0 brings what is known of the prompt
  server.End(0, 1, FinishReason::kStop, 1);
  Delta first = FakeServer::Spoken(request, "x");
  first.prompt_logprobs = {{.token = 66, .logprob = -2, .top = {{67, -1.0f}}}};
  server.engine.submitted[0].sink(std::move(first));
  server.End(0, 1);
  const value choices = answer->Json().at("choices");
  EXPECT_EQ(choices.at(0).at("text"), "ABx");
  EXPECT_EQ(choices.at(1).at("text"), "ABy");
  EXPECT_EQ(choices.at(1).at("logprobs").at("tokens"), FakeResponder::Parse(R"(["A","B","y"])"));
  EXPECT_EQ(choices.at(0).at("prompt_logprobs"),
            FakeResponder::Parse(
                R"([null,{"67":{"logprob":-1,"rank":1,"decoded_token":"C"},
                "66":{"logprob":-2,"rank":null,"decoded_token":"B"}}])"));
}

TEST(Completions, ManyPromptsAndChoicesAreIndexedInOrder) {
  FakeServer server;
  const auto answer = server.Post(
      "/v1/completions",
      R"({"prompt":["p","q"],"n":2,"stream":true,"stream_options":{"include_usage":true}})");
  ASSERT_EQ(server.engine.submitted.size(), 2u);
  server.Say(1, "d", 1);
  server.Say(0, "a", 0);
  server.Say(1, "c", 0);
  server.Say(0, "b", 1);
  for (const size_t request : {0, 1}) {
    for (const int32_t choice : {0, 1}) server.End(request, 1, FinishReason::kStop, choice);
  }
  ASSERT_TRUE(answer->ended);
  std::string texts[4];
  int64_t total = 0;
  for (const value& chunk : Chunks(*answer)) {
    EXPECT_EQ(chunk.at("object"), "text_completion");
    for (const value& choice : chunk.at("choices").as_array()) {
      texts[choice.at("index").as_int64()] += choice.at("text").as_string().c_str();
    }
    if (!chunk.at("usage").is_null()) total = chunk.at("usage").at("total_tokens").as_int64();
  }
  EXPECT_EQ(texts[0] + texts[1] + texts[2] + texts[3], "abcd");
  EXPECT_EQ(total, 8);  // twice two tokens of prompt, four of answers
}

// Promise 5: cut as it may be, a stream adds up to the plain answer.
TEST(Streams, AddUpToTheWholeAnswer) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    FakeServer server;
    const std::string fields = R"("n":2,"logprobs":true,"top_logprobs":1)";
    const auto whole = server.Post("/v1/chat/completions", Body(fields));
    const auto stream = server.Post("/v1/chat/completions", Body(fields + R"(,"stream":true)"));
    const std::vector<std::string> characters = {"가", "b", "\"", "\n", "🙂", "é", "\\", "\t"};
    for (int step = 0; step < 20; ++step) {
      const int32_t choice = static_cast<int32_t>(random() % 2);
      std::string text;
      for (size_t i = random() % 4; i > 0; --i) text += characters[random() % characters.size()];
      server.Say(0, text, choice);
      server.Say(1, text, choice);
    }
    for (const size_t request : {0, 1}) {
      for (const int32_t choice : {1, 0}) server.End(request, 5, FinishReason::kLength, choice);
    }
    std::string texts[2];
    boost::json::array logprobs[2];
    std::string reasons[2];
    for (const value& chunk : Chunks(*stream)) {
      const value& choice = chunk.at("choices").at(0);
      const auto index = choice.at("index").as_int64();
      const auto& delta = choice.at("delta").as_object();
      if (delta.contains("content")) texts[index] += delta.at("content").as_string().c_str();
      if (choice.at("logprobs").is_object()) {
        for (const value& entry : choice.at("logprobs").at("content").as_array()) {
          logprobs[index].push_back(entry);
        }
      }
      if (!choice.at("finish_reason").is_null()) {
        EXPECT_TRUE(reasons[index].empty());
        reasons[index] = choice.at("finish_reason").as_string().c_str();
      }
    }
    const value body = whole->Json();
    for (const size_t i : {0, 1}) {
      const value& choice = body.at("choices").at(i);
      ASSERT_EQ(choice.at("message").at("content").as_string(), texts[i]);
      ASSERT_EQ(choice.at("finish_reason").as_string(), reasons[i]);
      if (choice.at("logprobs").is_object()) {
        ASSERT_EQ(choice.at("logprobs").at("content"), value(logprobs[i]));
      } else {
        ASSERT_TRUE(logprobs[i].empty());
      }
    }
  }
}

TEST(Streams, UsageSoFarInEveryChunk) {
  FakeServer server;
  const auto answer = server.Post("/v1/chat/completions",
                                  Body(R"("stream":true,"stream_options":{"include_usage":true,
                  "continuous_usage_stats":true})"));
  server.Say(0, "ab");
  server.Say(0, "c");
  server.End(0, 3);
  const auto chunks = Chunks(*answer);
  EXPECT_EQ(chunks[0].at("usage").at("completion_tokens"), 0);
  EXPECT_EQ(chunks[1].at("usage").at("completion_tokens"), 2);
  EXPECT_EQ(chunks[2].at("usage").at("completion_tokens"), 3);
  EXPECT_EQ(chunks.back().at("usage").at("prompt_tokens"), 6);
}

TEST(Streams, WhatTheEngineSaysWithinSubmitIsNotLost) {
  FakeServer server;
  server.engine.at_once = [](FakeEngine::Submitted& submitted) {
    submitted.sink(FakeServer::Spoken(submitted.request, "now"));
    Delta end;
    end.finish = FinishReason::kStop;
    end.stop_match = "X";
    submitted.sink(std::move(end));
  };
  const auto whole = server.Post("/v1/chat/completions", Body(""));
  EXPECT_EQ(whole->Json().at("choices").at(0).at("message").at("content"), "now");
  EXPECT_EQ(whole->Json().at("choices").at(0).at("stop_reason"), "X");
  const auto stream = server.Post("/v1/chat/completions", Body(R"("stream":true)"));
  EXPECT_TRUE(stream->ended);
  EXPECT_EQ(Chunks(*stream).size(), 3u);
}

TEST(Errors, AfterTheFirstByteTheyAreEvents) {
  FakeServer server;
  const auto answer = server.Post("/v1/chat/completions", Body(R"("stream":true)"));
  server.Say(0, "a");
  Delta broken;
  broken.finish = FinishReason::kError;
  broken.error = Error{ErrorCode::kInternal, "it broke", ""};
  server.engine.submitted[0].sink(std::move(broken));
  ASSERT_TRUE(answer->ended);
  const auto events = answer->Events();
  ASSERT_GE(events.size(), 2u);
  EXPECT_EQ(events.back(), "[DONE]");
  const value error = FakeResponder::Parse(events[events.size() - 2]);
  EXPECT_EQ(ErrorIn(error).at("message"), "it broke");
  EXPECT_EQ(ErrorIn(error).at("type"), "server_error");
  server.Say(0, "late");  // changes nothing, and is no crash
}

TEST(Errors, BeforeItTheyAreStatuses) {
  FakeServer server;
  const auto answer = server.Post("/v1/chat/completions", Body(""));
  Delta stopped;
  stopped.finish = FinishReason::kCancelled;
  server.engine.submitted[0].sink(std::move(stopped));
  EXPECT_EQ(answer->head.status, 503);

  server.engine.refuse_after = server.engine.submitted.size();
  for (const char* fields : {"", R"("stream":true)"}) {
    const auto full = server.Post("/v1/chat/completions", Body(fields));
    EXPECT_EQ(full->head.status, 503);
    EXPECT_EQ(full->Header("Retry-After"), "1");
    EXPECT_EQ(ErrorIn(full->Json()).at("type"), "unavailable_error");
  }
}

TEST(Errors, WhenOnePromptIsRefusedTheOthersLeave) {
  FakeServer server;
  server.engine.refuse_after = 1;
  const auto answer = server.Post("/v1/completions", R"({"prompt":["a","b"],"stream":true})");
  EXPECT_EQ(answer->head.status, 503);
  ASSERT_EQ(server.engine.cancelled.size(), 1u);
  EXPECT_EQ(server.engine.cancelled[0], server.engine.submitted[0].request.id);
  server.Say(0, "x");
}

TEST(Errors, OfTheModelAndTheContext) {
  FakeServer server;
  const auto error = [&](const std::string& fields) {
    const auto answer = server.Post("/v1/chat/completions", Body(fields));
    return std::pair(answer->head.status, ErrorIn(answer->Json()));
  };
  EXPECT_EQ(error(R"("model":"absent")").first, 404);
  EXPECT_EQ(error(R"("model":"absent")").second.at("message"),
            "The model `absent` does not exist.");
  EXPECT_EQ(error(R"("max_tokens":251)").second.at("code"), "context_length_exceeded");
  EXPECT_EQ(error(R"("max_tokens":251)").second.at("param"), "max_tokens");
  EXPECT_EQ(error(R"("max_completion_tokens":251)").second.at("param"), "max_completion_tokens");
  EXPECT_EQ(error(R"("min_tokens":9,"max_tokens":8)").second.at("param"), "min_tokens");
  EXPECT_EQ(error(R"("logit_bias":{"9999":1})").second.at("param"), "logit_bias");
  EXPECT_EQ(error(R"("stop_token_ids":[9999])").second.at("param"), "stop_token_ids");
  const auto too_long =
      server.Post("/v1/chat/completions",
                  R"({"messages":[{"role":"user","content":")" + std::string(300, 'x') + R"("}]})");
  EXPECT_EQ(too_long->head.status, 400);
  EXPECT_EQ(ErrorIn(too_long->Json()).at("param"), "messages");
  EXPECT_EQ(ErrorIn(too_long->Json()).at("code"), "context_length_exceeded");
  const auto ids = server.Post("/v1/completions", R"({"prompt":[9999]})");
  EXPECT_EQ(ErrorIn(ids->Json()).at("param"), "prompt");
  const auto empty = server.Post("/v1/completions", R"({"prompt":"","add_special_tokens":false})");
  EXPECT_EQ(ErrorIn(empty->Json()).at("param"), "prompt");
  EXPECT_EQ(server.engine.calls, 0);
}

TEST(Cancellation, APeerThatLeavesTakesItsRequestsAlong) {
  FakeServer server;
  const auto answer = server.Post("/v1/completions", R"({"prompt":["a","b"]})");
  answer->gone();
  EXPECT_EQ(server.engine.cancelled.size(), 2u);

  const auto slow = server.Post("/v1/chat/completions", Body(R"("stream":true)"));
  slow->takes = false;
  server.Say(2, "x");
  ASSERT_EQ(server.engine.cancelled.size(), 3u);
  EXPECT_EQ(server.engine.cancelled[2], server.engine.submitted[2].request.id);
}

TEST(Requests, ReachTheEngineAsAsked) {
  FakeServer server;
  server.Post("/v1/chat/completions",
              Body(R"("temperature":0.25,"top_k":-1,"top_p":0,"seed":7,"n":2,"max_tokens":10,
              "min_tokens":3,"stop":"X","stop_token_ids":[5],"priority":-2,"cache_salt":"salt",
              "include_stop_str_in_output":true,"skip_special_tokens":false,"logit_bias":{"65":2})"));
  ASSERT_EQ(server.engine.submitted.size(), 1u);
  const auto& submitted = server.engine.submitted[0];
  const GenerationRequest& request = submitted.request;
  EXPECT_EQ(request.sampling.temperature, 0.25);
  EXPECT_EQ(request.sampling.top_k, 1);  // top_p 0 leaves the likeliest token alone
  EXPECT_EQ(request.sampling.top_p, 1);
  EXPECT_EQ(request.sampling.seed, 7u);
  EXPECT_EQ(request.sampling.logit_bias.size(), 1u);
  EXPECT_EQ(request.choices, 2);
  EXPECT_EQ(request.max_tokens, 10);
  EXPECT_EQ(request.min_tokens, 3);
  EXPECT_EQ(request.stop, std::vector<std::string>{"X"});
  EXPECT_EQ(request.stop_ids, (std::vector<TokenId>{5, FakeTokenizer::kEnd}));
  EXPECT_TRUE(request.include_stop_text && !request.skip_special);
  EXPECT_EQ(submitted.tenant, "local");
  EXPECT_EQ(submitted.prompt_tokens, 6);
  EXPECT_EQ(submitted.max_output_tokens, 20);
  EXPECT_EQ(submitted.cache_salt, "salt");
  EXPECT_EQ(submitted.priority, -2);
}

TEST(Requests, DefaultsAreTheModelsAndTheContexts) {
  FakeServer server;
  auto& defaults = server.engine.model_.defaults;
  defaults = {.temperature = 0.7,
              .top_p = 0.8,
              .min_p = {},
              .repetition_penalty = 1.1,
              .top_k = 20,
              .do_sample = true};
  server.Post("/v1/chat/completions", Body(""));
  server.Post("/v1/chat/completions", Body(R"("top_p":0.5,"ignore_eos":true)"));
  defaults.do_sample = false;
  server.Post("/v1/chat/completions", Body(""));
  server.Post("/v1/chat/completions", Body(R"("temperature":1)"));
  server.issuer.most_output = 7;
  server.Post("/v1/chat/completions", Body(R"("n":2)"));
  ASSERT_EQ(server.engine.submitted.size(), 5u);
  const auto request = [&](size_t i) -> const GenerationRequest& {
    return server.engine.submitted[i].request;
  };
  EXPECT_EQ(request(0).sampling.temperature, 0.7);
  EXPECT_EQ(request(0).sampling.top_p, 0.8);
  EXPECT_EQ(request(0).sampling.top_k, 20);
  EXPECT_EQ(request(0).sampling.repetition_penalty, 1.1);
  EXPECT_EQ(request(0).max_tokens, 250);
  EXPECT_NE(request(0).sampling.seed, request(1).sampling.seed);
  EXPECT_EQ(request(1).sampling.top_p, 0.5);
  EXPECT_TRUE(request(1).stop_ids.empty());
  EXPECT_EQ(request(2).sampling.temperature, 0);
  EXPECT_EQ(request(3).sampling.temperature, 1);
  // The ticket's limit is of all choices together.
  EXPECT_EQ(request(4).max_tokens, 3);
}

}  // namespace
}  // namespace jikji
