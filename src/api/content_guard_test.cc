// The privacy guard in the serving path; above all, that nothing passes where it fails.
#include "api/content_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "api/fakes.h"

namespace jikji {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ApiOptions Guarded(std::string_view policy) {
  auto parsed = guard::LoadPolicy(std::string(policy));
  EXPECT_TRUE(parsed.has_value());
  ApiOptions options;
  options.guard = guard::MakePrivacyGuard(parsed.value_or(guard::DefaultPolicy()));
  return options;
}

std::string Chat(std::string_view content, std::string_view more = "") {
  return R"({"messages":[{"role":"user","content":")" + std::string(content) + "\"}]" +
         std::string(more) + "}";
}

std::string PromptText(const FakeServer& server) {
  return server.engine.model().tokenizer->Decode(server.engine.submitted[0].request.prompt, true);
}

std::string Streamed(const FakeResponder& answer) {
  std::string text;
  for (const std::string& event : answer.Events()) {
    if (event == "[DONE]") continue;
    const auto chunk = FakeResponder::Parse(event);
    if (chunk.as_object().contains("error")) return text + "<error>";
    const auto& delta = chunk.at("choices").at(0).at("delta").as_object();
    if (const auto* content = delta.if_contains("content")) text += content->as_string();
  }
  return text;
}

TEST(GuardedPrompts, AreBlockedBeforeAdmission) {
  FakeServer server(Guarded("default"));
  const auto answer = server.Post("/v1/chat/completions", Chat("제 번호는 900101-1234567"));
  EXPECT_EQ(answer->head.status, 400);
  const auto error = answer->Json().at("error");
  EXPECT_EQ(error.at("code"), "content_filter");
  EXPECT_EQ(error.at("param"), "messages[0].content");
  EXPECT_THAT(std::string(error.at("message").as_string()), HasSubstr("주민등록번호"));
  EXPECT_THAT(answer->head.body, Not(HasSubstr("1234567")));
  EXPECT_EQ(server.issuer.asked, 0);
  EXPECT_EQ(server.engine.calls, 0);
}

TEST(GuardedPrompts, AreMaskedBeforeTheModelSeesThem) {
  FakeServer server(Guarded("default"));
  server.Post("/v1/chat/completions", Chat("call 010-1234-5678"));
  ASSERT_EQ(server.engine.submitted.size(), 1u);
  EXPECT_THAT(PromptText(server), HasSubstr("call 010-****-****"));
}

TEST(GuardedPrompts, TextAndTokenIdsOfCompletions) {
  FakeServer server(Guarded("mask"));
  server.Post("/v1/completions", R"({"prompt":"010-1234-5678"})");
  EXPECT_EQ(PromptText(server), "010-****-****");
  std::string ids;
  for (const char c : std::string("010-1234-5678")) {
    ids += (ids.empty() ? "" : ",") + std::to_string(static_cast<int>(c));
  }
  // Ids cannot be masked.
  const auto refused = server.Post("/v1/completions", R"({"prompt":[)" + ids + "]}");
  EXPECT_EQ(refused->head.status, 400);
  EXPECT_EQ(server.engine.calls, 1);
}

TEST(GuardedPrompts, EveryPartOfAMessageIsScreened) {
  FakeServer server(Guarded("block"));
  for (const char* body :
       {R"({"messages":[{"role":"system","content":"a@b.co"},{"role":"user","content":"x"}]})",
        R"({"messages":[{"role":"user","content":[{"type":"text","text":"a@b.co"}]}]})",
        R"({"messages":[{"role":"user","content":"x"}],"chat_template_kwargs":{"k":"a@b.co"}})"}) {
    const auto answer = server.Post("/v1/chat/completions", body);
    EXPECT_EQ(answer->head.status, 400) << body;
    EXPECT_EQ(answer->Json().at("error").at("code"), "content_filter") << body;
  }
  EXPECT_EQ(server.engine.calls, 0);
}

TEST(GuardedAnswers, AreMaskedAcrossDeltas) {
  for (const bool stream : {false, true}) {
    FakeServer server(Guarded("mask"));
    const auto answer =
        server.Post("/v1/chat/completions", Chat("hi", stream ? R"(,"stream":true)" : ""));
    for (const char* piece : {"전화 010", "-12", "34-56", "78 끝", "입니다"}) server.Say(0, piece);
    server.End(0, 9);
    ASSERT_TRUE(answer->ended);
    const std::string text =
        stream ? Streamed(*answer)
               : std::string(
                     answer->Json().at("choices").at(0).at("message").at("content").as_string());
    EXPECT_EQ(text, "전화 010-****-**** 끝입니다");
  }
}

TEST(GuardedAnswers, ABlockEndsTheChoiceWithContentFilter) {
  FakeServer server(Guarded("block"));
  const auto answer = server.Post("/v1/chat/completions", Chat("hi", R"(,"stream":true)"));
  server.Say(0, "앞 900101-12");
  server.Say(0, "34567 뒤");
  // Nothing is left to wait for: the engine is told.
  EXPECT_EQ(server.engine.cancelled.size(), 1u);
  server.Say(0, " 또");
  server.End(0, 5, FinishReason::kCancelled);
  ASSERT_TRUE(answer->ended);
  EXPECT_EQ(Streamed(*answer), "앞 ");
  const auto events = answer->Events();
  EXPECT_EQ(events.back(), "[DONE]");
  EXPECT_EQ(FakeResponder::Parse(events[events.size() - 2]).at("choices").at(0).at("finish_reason"),
            "content_filter");
}

TEST(GuardedAnswers, OtherChoicesGoOn) {
  FakeServer server(Guarded("block"));
  const auto answer = server.Post("/v1/chat/completions", Chat("hi", R"(,"n":2)"));
  server.Say(0, "a@b.co ", 0);
  server.Say(0, "fine", 1);
  EXPECT_TRUE(server.engine.cancelled.empty());
  server.End(0, 1, FinishReason::kStop, 1);
  EXPECT_EQ(server.engine.cancelled.size(), 1u);
  server.End(0, 1, FinishReason::kCancelled, 0);
  ASSERT_TRUE(answer->ended);
  const auto choices = answer->Json().at("choices");
  EXPECT_EQ(choices.at(0).at("finish_reason"), "content_filter");
  EXPECT_EQ(choices.at(0).at("message").at("content"), "");
  EXPECT_EQ(choices.at(1).at("finish_reason"), "stop");
  EXPECT_EQ(choices.at(1).at("message").at("content"), "fine");
}

TEST(GuardedAnswers, LogprobsWouldTellWhatIsMasked) {
  FakeServer server(Guarded("mask"));
  EXPECT_EQ(server.Post("/v1/chat/completions", Chat("hi", R"(,"logprobs":true)"))->head.status,
            400);
  EXPECT_EQ(server.Post("/v1/completions", R"({"prompt":"x","logprobs":1})")->head.status, 400);
  EXPECT_EQ(server.engine.calls, 0);
  FakeServer logging(Guarded("log"));
  logging.Post("/v1/chat/completions", Chat("hi", R"(,"logprobs":true)"));
  EXPECT_EQ(logging.engine.calls, 1);
}

// A guard that breaks at a chosen place.
enum class Breaks { kPrompt, kStart, kPush, kFinish };

class BrokenGuard : public guard::Guard {
 public:
  BrokenGuard(Breaks where, bool throws) : where_(where), throws_(throws) {}

  Result<guard::PromptVerdict> CheckPrompt(std::string_view) const override {
    JIKJI_RETURN_IF_ERROR(MayBreak(Breaks::kPrompt));
    return guard::PromptVerdict();
  }
  Result<std::unique_ptr<guard::OutputGuard>> StartOutput() const override {
    JIKJI_RETURN_IF_ERROR(MayBreak(Breaks::kStart));
    return std::make_unique<Output>(*this);
  }
  bool AltersOutput() const override { return true; }

 private:
  class Output : public guard::OutputGuard {
   public:
    explicit Output(const BrokenGuard& guard) : guard_(guard) {}
    Result<std::string> Push(std::string_view piece) override {
      JIKJI_RETURN_IF_ERROR(guard_.MayBreak(Breaks::kPush));
      return std::string(piece);
    }
    Result<std::string> Finish() override {
      JIKJI_RETURN_IF_ERROR(guard_.MayBreak(Breaks::kFinish));
      return std::string();
    }
    std::optional<guard::PiiKind> blocked() const override { return std::nullopt; }
    guard::PiiCounts counts() const override { return {}; }

   private:
    const BrokenGuard& guard_;
  };

  Result<> MayBreak(Breaks place) const {
    if (place != where_) return {};
    if (throws_) throw std::runtime_error("broken");
    return Fail(ErrorCode::kInternal, "broken");
  }
  Breaks where_;
  bool throws_;
};

TEST(BrokenGuards, LetNothingPass) {
  for (const Breaks where : {Breaks::kPrompt, Breaks::kStart, Breaks::kPush, Breaks::kFinish}) {
    for (const bool throws : {false, true}) {
      for (const bool stream : {false, true}) {
        ApiOptions options;
        options.guard = std::make_shared<BrokenGuard>(where, throws);
        FakeServer server(std::move(options));
        const auto answer =
            server.Post("/v1/chat/completions", Chat("hi", stream ? R"(,"stream":true)" : ""));
        const bool before = where == Breaks::kPrompt || where == Breaks::kStart;
        EXPECT_EQ(server.engine.calls, before ? 0 : 1);
        if (!before) {
          if (where == Breaks::kPush) server.Say(0, "secret");
          server.End(0, 1);
          // The request leaves the engine.
          EXPECT_EQ(server.engine.cancelled.size(), 1u);
        }
        ASSERT_TRUE(answer->ended);
        const std::string sent = answer->head.body + answer->stream;
        EXPECT_THAT(sent, Not(HasSubstr("secret")));
        EXPECT_THAT(sent, HasSubstr("guard_failed"));
        if (before || !stream) {
          EXPECT_EQ(answer->head.status, 500);
        }
      }
    }
  }
}

}  // namespace
}  // namespace jikji
